"""The tenant graph: one frozen value that every analyzer reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    NamedLocation,
    SecurityDefaults,
)
from pipeline.domain.entities import (
    Application,
    Entity,
    EntityType,
    Group,
    Identity,
    License,
    Organization,
    RelationshipType,
    Role,
    Subscription,
)

NEVER_READ = ReadOutcome(complete=False, reason="it has not been read yet")
EMPTY: frozenset[str] = frozenset()


def unreadable(inputs: Mapping[Resource, ReadOutcome], resources: Iterable[Resource]) -> str | None:
    """Why a verdict resting on these resources cannot be told, as one sentence; ``None`` if all are complete."""
    for resource in resources:
        outcome = inputs.get(resource, NEVER_READ)
        if not outcome.complete:
            return f"{resource.value} could not be read: {outcome.reason}"
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantGraph:
    """Everything known of a tenant, by external id.

    ``groups_of`` is transitive and holds identities that are in at least one group; ``roles_of`` maps identities
    to role template ids, held directly or through a group. Ids that no entity stands behind stay in the sets: a
    policy may still name them.
    """

    identities: Mapping[str, Identity] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    policies: Mapping[str, ConditionalAccessPolicy] = field(default_factory=dict)
    named_locations: Mapping[str, NamedLocation] = field(default_factory=dict)
    authentication_strengths: Mapping[str, AuthenticationStrength] = field(default_factory=dict)
    licenses: Mapping[str, License] = field(default_factory=dict)
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    applications: Mapping[str, Application] = field(default_factory=dict)
    organization: Organization | None = None
    security_defaults: SecurityDefaults | None = None
    groups_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    inputs: Mapping[Resource, ReadOutcome] = field(default_factory=dict)

    def unreadable(self, *resources: Resource) -> str | None:
        """Why a verdict resting on these resources cannot be told, as one sentence; ``None`` if all are complete."""
        return unreadable(self.inputs, resources)


_E = TypeVar("_E", bound=Entity)


def _of(entities: Mapping[EntityType, Mapping[str, Entity]], kind: EntityType, cls: type[_E]) -> Mapping[str, _E]:
    found = entities.get(kind, {})
    return MappingProxyType({key: value for key, value in found.items() if isinstance(value, cls)})


def build_graph(
    *,
    entities: Mapping[EntityType, Mapping[str, Entity]],
    pairs: Mapping[RelationshipType, Iterable[tuple[str, str]]],
    inputs: Mapping[Resource, ReadOutcome],
) -> TenantGraph:
    """A graph from entities by type and ``(parent id, child id)`` pairs by relationship type.

    Group nesting is resolved once, cycles included; identities with the same groups share one set.
    """
    groups_of = _transitive(pairs.get(RelationshipType.MEMBER_OF, ()))
    roles_of = _roles(pairs.get(RelationshipType.ASSIGNED_ROLE, ()), groups_of, entities)
    identities = _of(entities, EntityType.IDENTITIES, Identity)
    defaults = _of(entities, EntityType.SECURITY_DEFAULTS, SecurityDefaults)
    organizations = _of(entities, EntityType.ORGANIZATION, Organization)
    return TenantGraph(
        identities=identities,
        groups=_of(entities, EntityType.GROUPS, Group),
        roles=_of(entities, EntityType.ROLES, Role),
        policies=_of(entities, EntityType.POLICIES, ConditionalAccessPolicy),
        named_locations=_of(entities, EntityType.NAMED_LOCATIONS, NamedLocation),
        authentication_strengths=_of(entities, EntityType.AUTHENTICATION_STRENGTHS, AuthenticationStrength),
        licenses=_of(entities, EntityType.LICENSES, License),
        subscriptions=_of(entities, EntityType.SUBSCRIPTIONS, Subscription),
        applications=_of(entities, EntityType.APPLICATIONS, Application),
        organization=next(iter(organizations.values()), None),
        security_defaults=next(iter(defaults.values()), None),
        groups_of=MappingProxyType({key: value for key, value in groups_of.items() if key in identities}),
        roles_of=MappingProxyType(roles_of),
        inputs=MappingProxyType(dict(inputs)),
    )


def _transitive(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Member id → every group it is in, through any depth of nesting."""
    direct: defaultdict[str, set[str]] = defaultdict(set)
    parents: set[str] = set()
    for parent, child in pairs:
        direct[child].add(parent)
        parents.add(parent)
    ancestors: dict[str, frozenset[str]] = {}
    for group in parents:
        seen = {group}
        queue = [group]
        while queue:
            for above in direct.get(queue.pop(), ()):
                if above not in seen:
                    seen.add(above)
                    queue.append(above)
        ancestors[group] = frozenset(seen)
    shared: dict[frozenset[str], frozenset[str]] = {}
    result: dict[str, frozenset[str]] = {}
    for member, groups in direct.items():
        key = frozenset(groups)
        if key not in shared:
            shared[key] = frozenset().union(*(ancestors[group] for group in key))
        result[member] = shared[key]
    return result


def _roles(
    pairs: Iterable[tuple[str, str]],
    groups_of: Mapping[str, frozenset[str]],
    entities: Mapping[EntityType, Mapping[str, Entity]],
) -> dict[str, frozenset[str]]:
    """Identity id → role template ids, direct assignments and those of its groups."""
    assigned: defaultdict[str, set[str]] = defaultdict(set)
    for role, holder in pairs:
        assigned[holder].add(role)
    groups = entities.get(EntityType.GROUPS, {})
    through = {group: roles for group, roles in assigned.items() if group in groups}
    held: dict[str, frozenset[str]] = {}
    for identity in entities.get(EntityType.IDENTITIES, {}):
        roles = set(assigned.get(identity, ()))
        if through:
            for group in groups_of.get(identity, EMPTY) & through.keys():
                roles |= through[group]
        if roles:
            held[identity] = frozenset(roles)
    return held
