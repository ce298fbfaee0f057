"""Captured pages in the domain's terms. Pure; the order of the pages does not matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from pipeline.domain.capture import Changes, Edges, Entities, NormalizedCapture, Page, ReadOutcome, Resource
from pipeline.domain.conditional_access import ConditionalAccessPolicy
from pipeline.domain.entities import Entity, EntityType, RelationshipType
from pipeline.providers.microsoft365 import (
    decoding,
    identities,
    objects,
    organization,
    payloads,
    policies,
    relations,
)
from pipeline.providers.microsoft365.roles import RoleLists

P = TypeVar("P", bound=payloads.Payload)
V = TypeVar("V")
Pages = Mapping[Resource, list[Page]]


def normalize(pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome]) -> NormalizedCapture:
    """Entities and relationships, and the outcomes as the reader gave them."""
    kept = tuple(pages)
    return NormalizedCapture(entities=entities(kept), edges=edges(kept), outcomes=dict(outcomes))


def entities(pages: Iterable[Page]) -> Entities:
    """Entities by type and id, in the order of their ids.

    Raises ``ProviderRejectedError`` naming resource and JSON path when a page is not of Microsoft's shape.
    """
    by_resource = _by_resource(pages)
    registered = _registrations(_read(by_resource, Resource.REGISTRATION_DETAILS, decoding.REGISTRATION_DETAILS))
    users = _read(by_resource, Resource.USERS, decoding.USERS)
    found: dict[EntityType, Iterable[Entity]] = {
        EntityType.IDENTITIES: (identities.identity(user, registered) for user in users),
        EntityType.GROUPS: map(objects.group, _read(by_resource, Resource.GROUPS, decoding.GROUPS)),
        EntityType.ROLES: _role_lists(by_resource).roles(),
        EntityType.POLICIES: _policies(by_resource),
        EntityType.LICENSES: map(objects.license_of, _read(by_resource, Resource.SKUS, decoding.SKUS)),
        EntityType.NAMED_LOCATIONS: map(
            objects.named_location, _read(by_resource, Resource.NAMED_LOCATIONS, decoding.NAMED_LOCATIONS)
        ),
        EntityType.AUTHENTICATION_STRENGTHS: map(
            objects.authentication_strength, _read(by_resource, Resource.AUTHENTICATION_STRENGTHS, decoding.STRENGTHS)
        ),
        EntityType.SECURITY_DEFAULTS: map(
            objects.security_defaults, _read(by_resource, Resource.SECURITY_DEFAULTS, decoding.SECURITY_DEFAULTS)
        ),
        EntityType.SUBSCRIPTIONS: map(
            organization.subscription, _read(by_resource, Resource.DIRECTORY_SUBSCRIPTIONS, organization.SUBSCRIPTIONS)
        ),
        EntityType.APPLICATIONS: map(
            organization.application, _read(by_resource, Resource.APPLICATIONS, organization.APPLICATIONS)
        ),
        EntityType.ORGANIZATION: map(
            organization.organization, _read(by_resource, Resource.ORGANIZATION, organization.ORGANIZATIONS)
        ),
    }
    return {kind: _unique(values, key=lambda entity: entity.id) for kind, values in found.items()}


def edges(pages: Iterable[Page]) -> Edges:
    """Relationships by type, each sorted and without repetition; decodes of a user only what relates it.

    Raises ``ProviderRejectedError`` as ``entities`` does.
    """
    by_resource = _by_resource(pages)
    holders = _unique(_read(by_resource, Resource.USERS, decoding.LICENSE_HOLDERS), key=lambda holder: holder.id)
    known = relations.Known(
        identities=holders.keys(), groups={group.id for group in _read(by_resource, Resource.GROUPS, decoding.GROUPS)}
    )
    members = decoding.decoded(decoding.MEMBERS, by_resource.get(Resource.GROUP_MEMBERS, ()))
    return {
        RelationshipType.MEMBER_OF: relations.membership(RelationshipType.MEMBER_OF, EntityType.GROUPS, members, known),
        RelationshipType.ASSIGNED_ROLE: relations.membership(
            RelationshipType.ASSIGNED_ROLE, EntityType.ROLES, _role_holders(by_resource), known
        ),
        RelationshipType.HAS_LICENSE: relations.licenses(holders.values()),
        RelationshipType.POLICY_APPLIES_TO: relations.policy_scopes(
            _unique(_policies(by_resource), key=lambda policy: policy.id).values()
        ),
    }


def changes(pages: Iterable[Page]) -> Changes:
    """What is gone, and whose relationships are wholly told, of the types whose changes are read one by one.

    Roles are none of them: who holds one is told by the members and the assignments together, and the latter have no
    changes. Raises ``ProviderRejectedError`` as ``entities`` does.
    """
    by_resource = _by_resource(pages)
    users, lost_users = _mentioned(by_resource, Resource.USERS)
    _, lost_groups = _mentioned(by_resource, Resource.GROUPS)
    told = {page.parent_id for page in by_resource.get(Resource.GROUP_MEMBERS, ())}
    return Changes(
        removed={EntityType.IDENTITIES: lost_users, EntityType.GROUPS: lost_groups},
        parents={RelationshipType.MEMBER_OF: lost_groups.union(told)},
        children={
            RelationshipType.HAS_LICENSE: users | lost_users,
            RelationshipType.MEMBER_OF: lost_users | lost_groups,
            RelationshipType.ASSIGNED_ROLE: lost_users | lost_groups,
        },
    )


def _by_resource(pages: Iterable[Page]) -> Pages:
    found: defaultdict[Resource, list[Page]] = defaultdict(list)
    for page in pages:
        found[page.resource].append(page)
    return found


def _read(pages: Pages, resource: Resource, decoder: msgspec.json.Decoder[payloads.ListPage[P]]) -> Iterator[P]:
    return (item for _, item in decoding.decoded(decoder, pages.get(resource, ())))


def _mentioned(pages: Pages, resource: Resource) -> tuple[frozenset[str], frozenset[str]]:
    """The ids that stand and those that are gone; what is told as both stands, for it has been seen."""
    standing, gone = set[str](), set[str]()
    for mention in decoding.mentions(pages.get(resource, ())):
        (standing if mention.removed is None else gone).add(mention.id)
    return frozenset(standing), frozenset(gone - standing)


def _policies(pages: Pages) -> Iterable[ConditionalAccessPolicy]:
    return map(policies.policy, _read(pages, Resource.POLICIES, decoding.POLICIES))


def _registrations(details: Iterable[payloads.RegistrationDetails]) -> Mapping[str, payloads.RegistrationDetails]:
    return _unique(details, key=lambda item: item.id)


def _unique(values: Iterable[V], *, key: Callable[[V], str]) -> dict[str, V]:
    """By id, in the order of the ids. Paging may repeat an object: of unequal twins the greater one stays, whatever
    their order.
    """
    found: dict[str, V] = {}
    for value in values:
        twin = found.setdefault(key(value), value)
        if twin is not value and twin != value:
            found[key(value)] = max(twin, value, key=repr)
    return dict(sorted(found.items()))


def _role_lists(pages: Pages) -> RoleLists:
    return RoleLists(
        listed=tuple(_read(pages, Resource.DIRECTORY_ROLES, decoding.ROLES)),
        definitions=tuple(_read(pages, Resource.ROLE_DEFINITIONS, decoding.ROLE_DEFINITIONS)),
        assignments=tuple(_read(pages, Resource.ROLE_ASSIGNMENTS, decoding.ROLE_ASSIGNMENTS)),
    )


def _role_holders(pages: Pages) -> Iterator[tuple[str, payloads.Member]]:
    """``(role template id, holder)``; the member lists are kept under the tenant's own object id of the role."""
    return _role_lists(pages).holders(decoding.decoded(decoding.MEMBERS, pages.get(Resource.ROLE_MEMBERS, ())))
