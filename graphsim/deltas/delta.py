"""``users/delta``, ``groups/delta`` and ``directoryRoles/delta``.

https://learn.microsoft.com/graph/api/user-delta, group-delta and directoryrole-delta; no ``$top``, ``$expand`` or
``$orderby``, and no ``signInActivity``, which another service keeps.
"""

from __future__ import annotations

import re

import msgspec

from graphsim.deltas import delta_tokens, rounds
from graphsim.deltas.delta_tokens import DeltaToken
from graphsim.deltas.feeds import GROUPS, ROLES, USERS, Feed
from graphsim.deltas.rounds import Page, Wish
from graphsim.directory.tenants import Json
from graphsim.protocol.errors import bad_request, not_simulated, unsupported_query
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.protocol.odata import DEFAULT_PAGE, header, read_query
from graphsim.world.state import TenantState

LARGEST_PAGE = 999
_REFUSED = frozenset({"$top", "$expand", "$orderby", "$skip", "$count", "$search"})
_TOKENS = frozenset({"$deltatoken", "$skiptoken"})
_PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)


def users(state: TenantState, request: GraphRequest) -> Answer:
    return _answer(state, request, USERS)


def groups(state: TenantState, request: GraphRequest) -> Answer:
    return _answer(state, request, GROUPS)


def directory_roles(state: TenantState, request: GraphRequest) -> Answer:
    return _answer(state, request, ROLES)


def _answer(state: TenantState, request: GraphRequest, feed: Feed) -> Answer:
    if request.method != "GET":
        raise not_simulated(f"{request.method} on this resource")
    given = {name.lower(): value for name, value in request.parameters}
    _check(given)
    token = _token(state, request, feed, given)
    preference = header(request.headers, "prefer")
    wish = _wish(feed, token.select, preference)
    page = _page(state, wish, token)
    body = _body(state, request, wish, token, page)
    sized = _PAGE_SIZE.search(preference)
    applied = {"Preference-Applied": f"odata.maxpagesize={wish.size}"} if sized else {}
    return Answer(body=msgspec.json.encode(body), headers=applied)


def _check(given: dict[str, str]) -> None:
    for name in given.keys() & _REFUSED:
        raise unsupported_query(f"The query option {name} is not supported by delta.")
    if "$skiptoken" in given and given.keys() & {"$deltatoken", "$select"}:
        raise bad_request("$skiptoken can't be combined with other query options of delta.")


def _token(state: TenantState, request: GraphRequest, feed: Feed, given: dict[str, str]) -> DeltaToken:
    """Where to go on: what the link says, or the beginning of a first round."""
    select = _select(request, feed)
    text = given.get("$skiptoken") or given.get("$deltatoken", "")
    latest = text.lower() == "latest" and "$skiptoken" not in given
    if text and not latest:
        token = delta_tokens.read(state, request, feed.resource, text)
        return token if select is None else msgspec.structs.replace(token, select=select)
    return DeltaToken(
        resource=feed.resource,
        select=select,
        generation=state.delta_generation,
        issued_at=int(state.seconds),
        after=state.log.last,
        full=not latest,
    )


def _select(request: GraphRequest, feed: Feed) -> tuple[str, ...] | None:
    """The selected properties in Microsoft's spelling, ``members`` among them; ``None`` when nothing is selected."""
    navigation = {"members"} if feed.members else set()
    wanted = [value for name, value in request.parameters if name.lower() == "$select"]
    names = [name.strip() for value in wanted for name in value.split(",") if name.strip()]
    if any(name.lower() == "signinactivity" for name in names):
        raise bad_request("Property 'signInActivity' is not supported in delta queries.")
    plain = ",".join(name for name in names if name.lower() not in navigation)
    others = [pair for pair in request.parameters if pair[0].lower() not in {*_TOKENS, "$select"}]
    query = read_query([*others, ("$select", plain)], supported=frozenset({"$select"}), shape=feed.shape)
    if not wanted:
        return None
    chosen = tuple(sorted(name.lower() for name in names if name.lower() in navigation))
    return (*(query.select or ()), *chosen)


def _wish(feed: Feed, select: tuple[str, ...] | None, preference: str) -> Wish:
    sized = _PAGE_SIZE.search(preference)
    return Wish(
        feed=feed,
        select=None if select is None else tuple(name for name in select if name != "members"),
        members=feed.members is not None and (select is None or "members" in select),
        minimal="return=minimal" in preference.lower().replace(" ", ""),
        size=min(LARGEST_PAGE, max(1, int(sized[1]))) if sized else DEFAULT_PAGE,
    )


def _page(state: TenantState, wish: Wish, token: DeltaToken) -> Page:
    if token.full:
        return rounds.full_page(state, wish, token.place, token.inner)
    return rounds.changes_page(state, wish, token.after, _until(state, token), token.place)


def _until(state: TenantState, token: DeltaToken) -> int:
    return state.log.last if token.until is None else token.until


def _body(state: TenantState, request: GraphRequest, wish: Wish, token: DeltaToken, page: Page) -> Json:
    name = wish.feed.resource.value
    selected = f"{name}({','.join(token.select)})" if token.select else name

    def link(option: str, written: DeltaToken) -> str:
        return f"{request.service}/{request.path}?{option}={delta_tokens.write(state, written)}"

    body: Json = {"@odata.context": f"{request.service}/$metadata#{selected}"}
    if page.following:
        place, inner = page.following
        until = None if token.full else _until(state, token)
        going_on = msgspec.structs.replace(token, until=until, place=place, inner=inner)
        body["@odata.nextLink"] = link("$skiptoken", going_on)
    else:
        body["@odata.deltaLink"] = link("$deltatoken", _next_round(state, token))
    return body | {"value": page.value}


def _next_round(state: TenantState, token: DeltaToken) -> DeltaToken:
    """The first round's successor tells what changed since that began: some of it again, but nothing is missed."""
    return DeltaToken(
        resource=token.resource,
        select=token.select,
        generation=state.delta_generation,
        issued_at=int(state.seconds),
        after=token.after if token.full else _until(state, token),
    )
