"""One page of a list as the bytes Graph would send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from graphsim.directory.tenants import Json
from graphsim.protocol import counting
from graphsim.protocol.errors import not_premium, not_simulated
from graphsim.protocol.filtering import names_in, pinned
from graphsim.protocol.odata import Query, check_top, pick
from graphsim.protocol.querying import matcher, ordered
from graphsim.protocol.schema import GROUP, MEMBER, ROLE, SERVICE_PRINCIPAL, USER, EntityShape
from graphsim.reading.collection import Collection
from graphsim.reading.expansion import related
from graphsim.reading.lists import GROUP_MEMBERS, REGISTRATIONS, TRANSITIVE_MEMBERS, USERS
from graphsim.reading.reads import Entries, Place, find_group, named_users
from graphsim.world.state import TenantState

SIGN_IN_PAGE = 500
"""The largest page of users with their sign-in activity. https://learn.microsoft.com/graph/api/user-list"""
LOOKED_AT = 25_000
"""Objects a filtered page looks at before it ends, short or empty as pages may be: no request holds the others up."""
SORTED = 20_000
"""The longest list that is sorted."""
_ENCODER = msgspec.json.Encoder()
_SHAPE_OF_TYPE = {f"#{shape.type_name}": shape for shape in (USER, GROUP, ROLE, SERVICE_PRINCIPAL)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which page of which list. ``cast`` keeps only objects of that type; ``count`` asks for the total."""

    collection: Collection
    query: Query = Query()
    place: Place = Place()
    cast: str = ""
    count: bool = False


def page(state: TenantState, wanted: Wanted, *, service: str, link: Callable[[int], str]) -> bytes:
    """The page's JSON. ``service`` is the address up to ``/v1.0``; ``link`` makes the next page's from its position."""
    check_page_size(wanted)
    body: Json = {"@odata.context": f"{service}/$metadata#{_context(wanted)}"}
    if wanted.count and wanted.place.start == 0:
        body["@odata.count"] = _count(state, wanted)
    value, following = _fill(state, _entries(state, wanted, wanted.place), wanted)
    if following is not None:
        body["@odata.nextLink"] = link(following)
    body["value"] = value
    return _ENCODER.encode(body)


def check_page_size(wanted: Wanted) -> None:
    """Raises what Graph says to a page size out of bounds."""
    if wanted.collection.paged:
        limit = SIGN_IN_PAGE if _wants_sign_ins(wanted) else wanted.collection.limit
        check_top(wanted.query.top, limit)


def single(state: TenantState, body: Json, *, shape: EntityShape, query: Query, context: str) -> bytes:
    """One object, reduced to what was asked for."""
    if query.select and "signInActivity" in query.select and not state.tenant.posture.premium:
        raise not_premium()
    return _ENCODER.encode({"@odata.context": context, **reduced(state, body, shape, query)})


def total(state: TenantState, wanted: Wanted) -> int:
    """How many objects the list holds, or how many of them match."""
    return _count(state, wanted)


def _entries(state: TenantState, wanted: Wanted, place: Place) -> Entries:
    if _wants_sign_ins(wanted) and not state.tenant.posture.premium:
        raise not_premium()
    names = pinned(wanted.query.filter) if wanted.collection is USERS else ()
    entries = named_users(state, place, names) if names else wanted.collection.entries(state, place)
    if wanted.cast:
        entries = ((position, body) for position, body in entries if body["@odata.type"] == f"#{wanted.cast}")
    return entries


def _sorted(state: TenantState, wanted: Wanted) -> Entries:
    """The matching objects in order; their positions are their places in it."""
    if wanted.collection is USERS and state.user_count > SORTED:
        raise not_simulated(f"Sorting more than {SORTED} objects")
    matches = matcher(wanted.query)
    found = (body for _, body in _entries(state, wanted, Place(key=wanted.place.key)) if matches(body))
    bodies = ordered(found, wanted.query)
    return ((at + 1, bodies[at]) for at in range(wanted.place.start, len(bodies)))


def _fill(state: TenantState, entries: Entries, wanted: Wanted) -> tuple[list[Json], int | None]:
    """The page's objects and the position of the next page, ``None`` on the last."""
    size = wanted.query.top if wanted.collection.paged else None
    matches = matcher(wanted.query)
    value: list[Json] = []
    position, seen = wanted.place.start, 0
    for reached, body in _sorted(state, wanted) if wanted.query.order else entries:
        matched = matches(body)
        if size is not None and (seen == LOOKED_AT or (matched and len(value) == size)):
            return value, position
        position, seen = reached, seen + 1
        if matched:
            value.append(reduced(state, body, wanted.collection.shape, wanted.query))
    return value, None


def reduced(state: TenantState, body: Json, shape: EntityShape, query: Query) -> Json:
    """What was selected of the object, and of related ones those that were to be expanded."""
    selected = _selected(body, shape, query.select)
    if not shape.navigation:
        return selected
    own = {name: value for name, value in selected.items() if name not in shape.navigation}
    for name in query.expand:
        found = related(state, body, shape, name)
        chosen = query.nested.get(name)
        if isinstance(found, list):
            own[name] = [_selected(each, MEMBER, chosen) for each in found]
        elif found is not None:
            own[name] = _selected(found, MEMBER, chosen)
    return own


def _selected(body: Json, shape: EntityShape, select: tuple[str, ...] | None) -> Json:
    own = _SHAPE_OF_TYPE.get(str(body.get("@odata.type")), shape)
    if select is None:
        return pick(body, own.default, own.empty) if own.default else body
    names = (*select, "id") if "signInActivity" in select and "id" not in select else select
    return pick(body, names, own.empty)


def _count(state: TenantState, wanted: Wanted) -> int:
    if wanted.query.filter or wanted.query.search:
        matches = matcher(wanted.query)
        return sum(matches(body) for _, body in _entries(state, wanted, Place(key=wanted.place.key)))
    if wanted.collection is USERS:
        return state.user_count
    if wanted.collection is REGISTRATIONS:
        return counting.enabled_users(state)
    if wanted.collection in (GROUP_MEMBERS, TRANSITIVE_MEMBERS):
        transitive = wanted.collection is TRANSITIVE_MEMBERS
        number = find_group(state, wanted.place.key)
        return counting.group_members(state, number, transitive=transitive, of_type=wanted.cast)
    start = Place(key=wanted.place.key, ids_only=True)
    return sum(1 for _ in _entries(state, wanted, start))


def _wants_sign_ins(wanted: Wanted) -> bool:
    if wanted.collection is not USERS:
        return False
    filtered = names_in(wanted.query.filter) if wanted.query.filter else frozenset()
    return "signInActivity" in (wanted.query.select or ()) or "signinactivity" in filtered


def _context(wanted: Wanted) -> str:
    named = [*(wanted.query.select or ()), *(f"{name}()" for name in wanted.query.expand)]
    return f"{wanted.collection.context}({','.join(named)})" if named else wanted.collection.context
