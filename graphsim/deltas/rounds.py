"""What one page of a delta round holds: everything in the first round, what changed in later ones.

https://learn.microsoft.com/graph/delta-query-groups has the form of ``members@delta``, a group's absence of it when
there are no members, and groups that come again with more of their members.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from graphsim.deltas.feeds import Entry, Feed, member_entry
from graphsim.directory.seeding import draw
from graphsim.directory.tenants import Json
from graphsim.protocol.odata import pick
from graphsim.world.changes import Change, Kind
from graphsim.world.state import TenantState

MEMBERS_A_PAGE = 1000
_Item = TypeVar("_Item")
_REPLAYED = 5
"""How many earlier changes come again when disorder is switched on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What to tell: ``select`` without ``members``, of ``None`` for the default; ``minimal`` leaves out the same."""

    feed: Feed
    select: tuple[str, ...] | None = None
    members: bool = False
    minimal: bool = False
    size: int = 100

    @property
    def tracked(self) -> frozenset[str]:
        return self.feed.tracked if self.select is None else frozenset(self.select)

    def reduced(self, body: Json) -> Json:
        shape = self.feed.shape
        names = self.select if self.select is not None else (shape.default or tuple(body))
        return pick(body, dict.fromkeys((*names, "id")), shape.empty)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The objects, and the place and inner place where the next page begins, ``None`` on the last."""

    value: list[Json]
    following: tuple[int, int] | None = None


def full_page(state: TenantState, wish: Wish, place: int, inner: int) -> Page:
    """The page of the first round that begins at an object's number, ``inner`` being where its members go on."""
    value: list[Json] = []
    room = MEMBERS_A_PAGE
    for number in wish.feed.numbers(state, place):
        if len(value) == wish.size or room == 0:
            return Page(value=_mixed(state, value, number), following=(number, 0))
        body = wish.reduced(wish.feed.body(state, number))
        value.append(body)
        entries = _first_members(state, wish, number, inner if number == place else 0, room + 1)
        told = entries[:room]
        if told:
            body["members@delta"] = [entry for _, entry in told]
        if len(entries) > room:
            return Page(value=_mixed(state, value, number), following=(number, told[-1][0]))
        room -= len(told)
    return Page(value=_mixed(state, value, place))


def _first_members(state: TenantState, wish: Wish, number: int, start: int, limit: int) -> list[Entry]:
    if not wish.members or wish.feed.members is None:
        return []
    return list(islice(wish.feed.members(state, number, start), limit))


@dataclass(kw_only=True, slots=True)
class _Told:
    """All that changed in one object."""

    anew: bool = False
    properties: set[str] = field(default_factory=set)
    members: dict[str, Json] = field(default_factory=dict)

    def add(self, change: Change) -> None:
        self.anew |= change.kind is not Kind.UPDATED
        self.properties |= change.properties
        if change.member:
            entry = member_entry(change.member.type_name, change.member.id, added=change.member.added)
            self.members[change.member.id] = entry


def changes_page(state: TenantState, wish: Wish, after: int, until: int, place: int) -> Page:
    """The page of a later round that begins at the ``place``-th object of those that changed."""
    first = max(state.log.forgotten, after - _REPLAYED) if state.delta_disorder else after
    told: dict[str, _Told] = {}
    for change in state.log.between(first, until):
        if change.resource is wish.feed.resource:
            told.setdefault(change.id, _Told()).add(change)
    shown = [object_id for object_id, each in told.items() if _concerns(wish, each)]
    if state.delta_disorder:
        shown = _shuffled(state, [*shown, *shown[::3]], until)
    value = [_written(state, wish, object_id, told[object_id]) for object_id in shown[place : place + wish.size]]
    end = place + len(value)
    return Page(value=value, following=(end, 0) if end < len(shown) else None)


def _concerns(wish: Wish, told: _Told) -> bool:
    return told.anew or bool(told.properties & wish.tracked) or (wish.members and bool(told.members))


def _written(state: TenantState, wish: Wish, object_id: str, told: _Told) -> Json:
    number = wish.feed.number_of(state, object_id)
    if number is None:
        reason = "deleted" if wish.feed.purged(state, object_id) else "changed"
        return {"id": object_id, "@removed": {"reason": reason}}
    partial = wish.minimal and not told.anew
    asked = replace(wish, select=tuple(sorted(told.properties & wish.tracked))) if partial else wish
    body = asked.reduced(wish.feed.body(state, number))
    members = list(_members(state, wish, number, told))
    return body | {"members@delta": members} if members else body


def _members(state: TenantState, wish: Wish, number: int, told: _Told) -> Iterable[Json]:
    if not wish.members or not wish.feed.members:
        return ()
    if told.anew:  # whoever dropped a deleted group needs all members of the restored one
        here = {str(entry["id"]): entry for _, entry in wish.feed.members(state, number, 0)}
        return (told.members | here).values()
    return told.members.values()


def _mixed(state: TenantState, value: list[Json], salt: int) -> list[Json]:
    return _shuffled(state, [*value, *value[::20]], salt) if state.delta_disorder else value


def _shuffled(state: TenantState, items: list[_Item], salt: int) -> list[_Item]:
    """In another order, the same for the same tenant and salt."""
    keyed = [(draw(state.tenant.key, b"disorder", salt * 1009 + place), place) for place in range(len(items))]
    return [items[place] for _, place in sorted(keyed)]
