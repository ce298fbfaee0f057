"""Captured pages in the domain's terms. Pure; the order of the pages does not matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from pipeline.domain.capture import Edge, NormalizedCapture, Page, ReadOutcome, Resource
from pipeline.domain.entities import Entity, EntityType, RelationshipType
from pipeline.providers.microsoft365 import decoding, edges, identities, objects, payloads, policies

P = TypeVar("P", bound=payloads.Payload)
V = TypeVar("V")
Pages = Mapping[Resource, list[Page]]


def normalize(pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome]) -> NormalizedCapture:
    """Entities by type and id, relationships by type, and the outcomes as the reader gave them.

    Raises ``ProviderRejectedError`` naming resource and JSON path when a page is not of Microsoft's shape.
    """
    by_resource: defaultdict[Resource, list[Page]] = defaultdict(list)
    for page in pages:
        by_resource[page.resource].append(page)
    entities = _entities(by_resource)
    return NormalizedCapture(entities=entities, edges=_edges(by_resource, entities), outcomes=dict(outcomes))


def _entities(pages: Pages) -> dict[EntityType, Mapping[str, Entity]]:
    def read(resource: Resource, decoder: msgspec.json.Decoder[payloads.ListPage[P]]) -> Iterator[P]:
        return (item for _, item in decoding.decoded(decoder, pages.get(resource, ())))

    registered = _registrations(read(Resource.REGISTRATION_DETAILS, decoding.REGISTRATION_DETAILS))
    users = read(Resource.USERS, decoding.USERS)
    found: dict[EntityType, Iterable[Entity]] = {
        EntityType.IDENTITIES: (identities.identity(user, registered) for user in users),
        EntityType.GROUPS: map(objects.group, read(Resource.GROUPS, decoding.GROUPS)),
        EntityType.ROLES: map(objects.role, read(Resource.DIRECTORY_ROLES, decoding.ROLES)),
        EntityType.POLICIES: map(policies.policy, read(Resource.POLICIES, decoding.POLICIES)),
        EntityType.LICENSES: map(objects.license_of, read(Resource.SKUS, decoding.SKUS)),
        EntityType.NAMED_LOCATIONS: map(
            objects.named_location, read(Resource.NAMED_LOCATIONS, decoding.NAMED_LOCATIONS)
        ),
        EntityType.AUTHENTICATION_STRENGTHS: map(
            objects.authentication_strength, read(Resource.AUTHENTICATION_STRENGTHS, decoding.STRENGTHS)
        ),
        EntityType.SECURITY_DEFAULTS: map(
            objects.security_defaults, read(Resource.SECURITY_DEFAULTS, decoding.SECURITY_DEFAULTS)
        ),
    }
    unique = {kind: _unique(values, key=lambda entity: entity.id) for kind, values in found.items()}
    return {kind: dict(sorted(values.items())) for kind, values in unique.items()}


def _registrations(details: Iterable[payloads.RegistrationDetails]) -> Mapping[str, payloads.RegistrationDetails]:
    return _unique(details, key=lambda item: item.id)


def _unique(values: Iterable[V], *, key: Callable[[V], str]) -> dict[str, V]:
    """By id. Paging may repeat an object; which of unequal twins stays does not depend on their order."""
    found: dict[str, V] = {}
    for value in values:
        twin = found.setdefault(key(value), value)
        if twin is not value and twin != value:
            found[key(value)] = max(twin, value, key=repr)
    return found


def _edges(
    pages: Pages, entities: Mapping[EntityType, Mapping[str, Entity]]
) -> dict[RelationshipType, tuple[Edge, ...]]:
    member_of = decoding.decoded(decoding.MEMBERS, pages.get(Resource.GROUP_MEMBERS, ()))
    return {
        RelationshipType.MEMBER_OF: edges.membership(
            RelationshipType.MEMBER_OF, EntityType.GROUPS, member_of, entities
        ),
        RelationshipType.ASSIGNED_ROLE: edges.membership(
            RelationshipType.ASSIGNED_ROLE, EntityType.ROLES, _role_holders(pages), entities
        ),
        RelationshipType.HAS_LICENSE: edges.licenses(entities[EntityType.IDENTITIES].values()),
        RelationshipType.POLICY_APPLIES_TO: edges.policy_scopes(entities[EntityType.POLICIES].values()),
    }


def _role_holders(pages: Pages) -> Iterator[tuple[str, payloads.Member]]:
    """``(role template id, member)``; the member lists are kept under the tenant's own object id of the role."""
    roles = decoding.decoded(decoding.ROLES, pages.get(Resource.DIRECTORY_ROLES, ()))
    templates = {role.id: role.role_template_id or role.id for _, role in roles}
    for role_id, member in decoding.decoded(decoding.MEMBERS, pages.get(Resource.ROLE_MEMBERS, ())):
        if role_id in templates:
            yield templates[role_id], member
