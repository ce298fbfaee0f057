"""Which policies concern a user: included, and not excluded; exclusion always wins.

Three answers: in, out, cannot tell. https://learn.microsoft.com/graph/api/resources/conditionalaccessusers
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pipeline.domain.entities import GuestScope, Identity, PolicyUsers

EVERYONE = "All"
ANY_GUEST = "GuestsOrExternalUsers"
INTERNAL_GUEST = "internalGuest"


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


class Standing(StrEnum):
    """How a user stands to a policy; the values of those that are out are reason codes."""

    IN_SCOPE = "in_scope"
    UNKNOWN = "unknown"
    NOT_INCLUDED = "users"
    EXCLUDED_USER = "excluded_user"
    EXCLUDED_GROUP = "excluded_group"
    EXCLUDED_ROLE = "excluded_role"
    EXCLUDED_GUEST = "excluded_guest"

    @property
    def excluded(self) -> bool:
        return self.value.startswith("excluded_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Why something cannot be told; ``input_missing`` if a whole resource was not read, not a single fact."""

    reason: str
    input_missing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The standing and what it rests on: ``via`` is the id of the user, group, role or guest kind that decided."""

    standing: Standing
    via: str = ""
    doubt: Doubt | None = None


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


def guest_kind(user: Identity) -> str | None:
    """The kind of guest, empty for an ordinary member, ``None`` if it cannot be told.

    An external account carries ``#EXT#`` in its user principal name
    (https://learn.microsoft.com/entra/external-id/user-properties). Direct connect users and service providers
    have no account in the tenant and so are never asked about.
    """
    external = "#EXT#" in user.user_principal_name
    if user.user_type == "Guest":
        return "b2bCollaborationGuest" if external else INTERNAL_GUEST
    if user.user_type is None:
        return None
    return "b2bCollaborationMember" if external else ""


def scope(include: Named, exclude: Named, who: Signature, unread: Unread) -> Scope:
    """How the user stands to a policy with these two sides."""
    out = _hit(exclude, who)
    if out is not None:
        return out
    included = _hit(include, who) is not None
    doubt = None if included else _doubt(include, who, unread)
    if not included and doubt is None:
        return Scope(standing=Standing.NOT_INCLUDED)
    doubt = doubt or _doubt(exclude, who, unread)
    return Scope(standing=Standing.IN_SCOPE) if doubt is None else Scope(standing=Standing.UNKNOWN, doubt=doubt)


def _hit(side: Named, who: Signature) -> Scope | None:
    """The exclusion this side would be; on the included side only its existence counts."""
    if EVERYONE in side.users or (who.named and who.named in side.users):
        return Scope(standing=Standing.EXCLUDED_USER, via=who.named)
    groups = who.groups & side.groups
    if groups:
        return Scope(standing=Standing.EXCLUDED_GROUP, via=min(groups))
    roles = who.roles & side.roles
    if roles:
        return Scope(standing=Standing.EXCLUDED_ROLE, via=min(roles))
    if who.guest and (ANY_GUEST in side.users or _from_anywhere(side.guests, who.guest)):
        return Scope(standing=Standing.EXCLUDED_GUEST, via=who.guest)
    return None


def _from_anywhere(guests: GuestScope | None, kind: str) -> bool:
    """Whether the kind is named whatever tenant the guest comes from; internal guests come from none."""
    if guests is None or kind not in guests.kinds:
        return False
    return guests.external_tenant_ids is None or kind == INTERNAL_GUEST


def _doubt(side: Named, who: Signature, unread: Unread) -> Doubt | None:
    """What would have to be known to be sure that this side does not name the user."""
    if side.groups and unread.groups is not None:
        return Doubt(reason=unread.groups, input_missing=True)
    if side.roles and unread.roles is not None:
        return Doubt(reason=unread.roles, input_missing=True)
    names_guests = ANY_GUEST in side.users or side.guests is not None
    if names_guests and who.guest is None:
        return Doubt(reason="whether the account is a guest was not read", input_missing=False)
    if side.guests is not None and who.guest in side.guests.kinds:
        return Doubt(reason="the guest's home tenant is not known, and a policy names tenants", input_missing=False)
    return None
