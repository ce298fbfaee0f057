"""What a policy says about whom it concerns, and what of a user matters to that.

Whether the two meet is asked in ``roster``. https://learn.microsoft.com/graph/api/resources/conditionalaccessusers
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pipeline.domain.conditional_access import GuestScope, PolicyUsers
from pipeline.domain.entities import Identity

EVERYONE = "All"
ANY_GUEST = "GuestsOrExternalUsers"
INTERNAL_GUEST = "internalGuest"
EXTERNAL_GUEST = "b2bCollaborationGuest"
EXTERNAL_MEMBER = "b2bCollaborationMember"
GUEST_KINDS = (INTERNAL_GUEST, EXTERNAL_GUEST, EXTERNAL_MEMBER)
"""The kinds that have an account in the tenant."""


class Signature(NamedTuple):
    """All that matters of a user to the policies of a tenant; users with equal signatures share one verdict.

    ``groups`` and ``roles`` hold only those that some policy names; ``named`` is the user's id if some policy
    names the user individually, else empty. ``guest`` is Microsoft's guest kind, empty for an ordinary member,
    ``None`` if it cannot be told.
    """

    named: str
    groups: frozenset[str]
    roles: frozenset[str]
    guest: str | None
    admin: bool
    global_admin: bool
    per_user_mfa: bool


class ExclusionCode(StrEnum):
    """The reason codes of an exclusion, by what named the user."""

    USER = "excluded_user"
    GROUP = "excluded_group"
    ROLE = "excluded_role"
    GUEST = "excluded_guest"


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Why something cannot be told; ``input_missing`` if a whole resource was not read, not a single fact."""

    reason: str
    input_missing: bool


class Exclusion(NamedTuple):
    """``via`` is the id of the user, group, role or guest kind that the policy excludes."""

    code: ExclusionCode
    via: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """Why groups and roles of users are not known; ``None`` where they are."""

    groups: str | None
    roles: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """One side, included or excluded, of the users a policy is about."""

    users: frozenset[str]
    groups: frozenset[str]
    roles: frozenset[str]
    guests: GuestScope | None


def sides(users: PolicyUsers) -> tuple[Named, Named]:
    """The included and the excluded side."""
    return (
        Named(
            users=frozenset(users.include_users) - {"None"},
            groups=frozenset(users.include_groups),
            roles=frozenset(users.include_roles),
            guests=users.include_guests,
        ),
        Named(
            users=frozenset(users.exclude_users) - {"None"},
            groups=frozenset(users.exclude_groups),
            roles=frozenset(users.exclude_roles),
            guests=users.exclude_guests,
        ),
    )


def is_external(user: Identity) -> bool:
    """Whether the account is at home elsewhere: it carries ``#EXT#`` in its user principal name.

    https://learn.microsoft.com/entra/external-id/user-properties
    """
    return "#EXT#" in user.user_principal_name


def guest_kind(user: Identity) -> str | None:
    """The kind of guest, empty for an ordinary member, ``None`` if it cannot be told.

    Direct connect users and service providers
    have no account in the tenant and so are never asked about.
    """
    external = is_external(user)
    if user.user_type == "Guest":
        return EXTERNAL_GUEST if external else INTERNAL_GUEST
    if user.user_type is None:
        return None
    return EXTERNAL_MEMBER if external else ""


def exclusion(side: Named, who: Signature) -> Exclusion | None:
    """What on the excluded side of a policy names the user, ``None`` if nothing does."""
    return next(naming(side, who), None)


def naming(side: Named, who: Signature) -> Iterator[Exclusion]:
    """Everything on one side of a policy that names the user, the user's own id first."""
    if EVERYONE in side.users or (who.named and who.named in side.users):
        yield Exclusion(code=ExclusionCode.USER, via=who.named)
    for group in sorted(who.groups & side.groups):
        yield Exclusion(code=ExclusionCode.GROUP, via=group)
    for role in sorted(who.roles & side.roles):
        yield Exclusion(code=ExclusionCode.ROLE, via=role)
    if who.guest and (ANY_GUEST in side.users or from_anywhere(side.guests, who.guest)):
        yield Exclusion(code=ExclusionCode.GUEST, via=who.guest)


def from_anywhere(guests: GuestScope | None, kind: str) -> bool:
    """Whether the kind is named whatever tenant the guest comes from; internal guests come from none."""
    if guests is None or kind not in guests.kinds:
        return False
    return guests.external_tenant_ids is None or kind == INTERNAL_GUEST


def doubt(side: Named, guest: str | None, unread: Unread) -> Doubt | None:
    """What would have to be known to be sure that this side does not name a user of this guest kind."""
    if side.groups and unread.groups is not None:
        return Doubt(reason=unread.groups, input_missing=True)
    if side.roles and unread.roles is not None:
        return Doubt(reason=unread.roles, input_missing=True)
    names_guests = ANY_GUEST in side.users or side.guests is not None
    if names_guests and guest is None:
        return Doubt(reason="whether the account is a guest was not read", input_missing=False)
    if side.guests is not None and guest in side.guests.kinds:
        return Doubt(reason="the guest's home tenant is not known, and a policy names tenants", input_missing=False)
    return None
