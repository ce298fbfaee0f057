"""Which policies concern a user: included and not excluded, exclusion always wins; or it cannot be told.

Policies are numbered and sets of them are bit masks, so that a user's standing to all policies is a handful of
``|`` and ``&``. https://learn.microsoft.com/graph/api/resources/conditionalaccessusers
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from analyzers.coverage.scope import ANY_GUEST, EVERYONE, GUEST_KINDS, Named, Signature, Unread, doubt, from_anywhere


class Standing(NamedTuple):
    """Sets of policies: those that concern the user, leave the user out, and may or may not. Others don't name them."""

    in_scope: int
    excluded: int
    unknown: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """For everything a policy can name a user by, the policies that do so; ``doubtful`` is by guest kind."""

    everyone: int
    users: Mapping[str, int]
    groups: Mapping[str, int]
    roles: Mapping[str, int]
    guests: Mapping[str, int]
    doubtful: Mapping[str | None, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    include: Side
    exclude: Side

    def standing(self, who: Signature) -> Standing:
        """How the user stands to every policy. What cannot be told is unknown only where it decides."""
        excluded, included = _naming(self.exclude, who), _naming(self.include, who)
        perhaps = self.include.doubtful[who.guest] & ~included
        unsure = self.exclude.doubtful[who.guest] | perhaps
        concerned = (included | perhaps) & ~excluded
        return Standing(in_scope=concerned & ~unsure, excluded=excluded, unknown=concerned & unsure)


def roster(sides: Sequence[tuple[Named, Named]], unread: Unread) -> Roster:
    """The roster of policies given as their included and excluded sides, numbered as they stand."""
    return Roster(
        include=_side([include for include, _ in sides], unread),
        exclude=_side([exclude for _, exclude in sides], unread),
    )


def _side(named: Sequence[Named], unread: Unread) -> Side:
    users: defaultdict[str, int] = defaultdict(int)
    groups: defaultdict[str, int] = defaultdict(int)
    roles: defaultdict[str, int] = defaultdict(int)
    for number, side in enumerate(named):
        for names, ids in ((users, side.users), (groups, side.groups), (roles, side.roles)):
            for key in ids:
                names[key] |= 1 << number
    return Side(
        everyone=users.pop(EVERYONE, 0),
        users=dict(users),
        groups=dict(groups),
        roles=dict(roles),
        guests={kind: _guests(named, kind) for kind in GUEST_KINDS},
        doubtful={kind: _doubtful(named, kind, unread) for kind in (*GUEST_KINDS, "", None)},
    )


def _guests(named: Sequence[Named], kind: str) -> int:
    return sum(
        1 << number for number, side in enumerate(named) if ANY_GUEST in side.users or from_anywhere(side.guests, kind)
    )


def _doubtful(named: Sequence[Named], kind: str | None, unread: Unread) -> int:
    return sum(1 << number for number, side in enumerate(named) if doubt(side, kind, unread) is not None)


def _naming(side: Side, who: Signature) -> int:
    """The policies that name the user on this side."""
    found = side.everyone
    if who.named:
        found |= side.users.get(who.named, 0)
    for group in who.groups:
        found |= side.groups.get(group, 0)
    for role in who.roles:
        found |= side.roles.get(role, 0)
    if who.guest:
        found |= side.guests[who.guest]
    return found
