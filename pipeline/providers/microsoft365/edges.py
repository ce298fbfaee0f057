"""Relationships between entities, as ids; each list sorted and without repetition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.domain.capture import Edge
from pipeline.domain.entities import ConditionalAccessPolicy, Entity, EntityType, Identity, RelationshipType
from pipeline.providers.microsoft365 import payloads

MEMBER_TYPES: Mapping[str, EntityType] = {
    "#microsoft.graph.user": EntityType.IDENTITIES,
    "#microsoft.graph.group": EntityType.GROUPS,
}
"""The kinds of directory object that become a relationship; devices, contacts and service principals don't."""

NOT_IDS = frozenset({"All", "None", "GuestsOrExternalUsers"})
"""Words that a policy's ``includeUsers`` may hold in place of ids."""

Entities = Mapping[EntityType, Mapping[str, Entity]]
Link = tuple[str, str, EntityType]


def membership(
    kind: RelationshipType,
    parent_type: EntityType,
    members: Iterable[tuple[str, payloads.Member]],
    entities: Entities,
) -> tuple[Edge, ...]:
    """``member_of`` or ``assigned_role`` from ``(parent id, member)``."""
    links = {(parent, member.id, _member_type(member, entities)) for parent, member in members}
    return _edges(kind, parent_type, ((parent, child, type_) for parent, child, type_ in links if type_))


def _member_type(member: payloads.Member, entities: Entities) -> EntityType | None:
    """By ``@odata.type``; where an export left that out, by which of the entities has the id."""
    if member.odata_type is not None:
        return MEMBER_TYPES.get(member.odata_type)
    return next((kind for kind in MEMBER_TYPES.values() if member.id in entities.get(kind, {})), None)


def licenses(identities: Iterable[Entity]) -> tuple[Edge, ...]:
    """``has_license`` from identities that come in their final order."""
    kind, parent, child = RelationshipType.HAS_LICENSE, EntityType.LICENSES, EntityType.IDENTITIES
    return tuple(
        Edge(type=kind, parent_type=parent, parent_id=sku, child_type=child, child_id=identity.id)
        for identity in identities
        if isinstance(identity, Identity)
        for sku in identity.sku_ids
    )


def policy_scopes(policies: Iterable[Entity]) -> tuple[Edge, ...]:
    """``policy_applies_to``: what each policy names as included; "All" and its like name nobody."""
    links = (link for policy in policies if isinstance(policy, ConditionalAccessPolicy) for link in _included(policy))
    return _edges(RelationshipType.POLICY_APPLIES_TO, EntityType.POLICIES, set(links))


def _included(policy: ConditionalAccessPolicy) -> Iterable[Link]:
    users = policy.users
    named = (
        (EntityType.IDENTITIES, users.include_users),
        (EntityType.GROUPS, users.include_groups),
        (EntityType.ROLES, users.include_roles),
    )
    return ((policy.id, child, kind) for kind, ids in named for child in ids if child not in NOT_IDS)


def _edges(kind: RelationshipType, parent_type: EntityType, links: Iterable[Link]) -> tuple[Edge, ...]:
    return tuple(
        Edge(type=kind, parent_type=parent_type, parent_id=parent, child_type=child_type, child_id=child)
        for parent, child, child_type in sorted(links)
    )
