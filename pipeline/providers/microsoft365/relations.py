"""Relationships between entities, as ids; each list sorted and without repetition."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pipeline.domain.capture import Edge
from pipeline.domain.conditional_access import ConditionalAccessPolicy
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.providers.microsoft365 import payloads
from pipeline.providers.microsoft365.identities import sku_ids

MEMBER_TYPES: Mapping[str, EntityType] = {
    "#microsoft.graph.user": EntityType.IDENTITIES,
    "#microsoft.graph.group": EntityType.GROUPS,
}
"""The kinds of directory object that become a relationship; devices, contacts and service principals don't."""

NOT_IDS = frozenset({"All", "None", "GuestsOrExternalUsers"})
"""Words that a policy's ``includeUsers`` may hold in place of ids."""

Link = tuple[str, str, EntityType]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The ids that were read of the kinds a member can be of."""

    identities: Collection[str]
    groups: Collection[str]


def membership(
    kind: RelationshipType,
    parent_type: EntityType,
    members: Iterable[tuple[str, payloads.Member]],
    known: Known,
) -> tuple[Edge, ...]:
    """``member_of`` or ``assigned_role`` from ``(parent id, member)``."""
    kept: dict[str, str] = {}  # who is in many groups has an id in each of their lists; one copy of it is enough
    links = {(parent, kept.setdefault(member.id, member.id), _member_type(member, known)) for parent, member in members}
    return _edges(kind, parent_type, ((parent, child, type_) for parent, child, type_ in links if type_))


def _member_type(member: payloads.Member, known: Known) -> EntityType | None:
    """By ``@odata.type``; where an export left that out, by which kind has the id."""
    if member.odata_type is not None:
        return MEMBER_TYPES.get(member.odata_type)
    if member.id in known.identities:
        return EntityType.IDENTITIES
    return EntityType.GROUPS if member.id in known.groups else None


def licenses(holders: Iterable[payloads.LicenseHolder]) -> tuple[Edge, ...]:
    """``has_license`` from the holders in their final order."""
    kind, parent, child = RelationshipType.HAS_LICENSE, EntityType.LICENSES, EntityType.IDENTITIES
    return tuple(
        Edge(type=kind, parent_type=parent, parent_id=sku, child_type=child, child_id=holder.id)
        for holder in holders
        for sku in sku_ids(holder.assigned_licenses)
    )


def policy_scopes(policies: Iterable[ConditionalAccessPolicy]) -> tuple[Edge, ...]:
    """``policy_applies_to``: what each policy names as included; "All" and its like name nobody."""
    links = (link for policy in policies for link in _included(policy))
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
