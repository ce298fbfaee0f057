"""May this be asked of that type, which objects match, and in which order they come.

https://learn.microsoft.com/graph/aad-advanced-queries: what is "advanced" needs the header ``ConsistencyLevel:
eventual`` and, but for ``$search``, ``$count=true``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from graphsim.directory.tenants import Json
from graphsim.protocol import filtering
from graphsim.protocol.errors import bad_request, unsupported_query
from graphsim.protocol.filter_rules import RULES, QueryRule
from graphsim.protocol.odata import Query
from graphsim.protocol.schema import EntityShape
from graphsim.protocol.searching import Search, is_found


def check(query: Query, shape: EntityShape, *, eventual: bool) -> None:
    """Raises what Graph says to a filter, a search or an order it can't do."""
    rule = RULES.get(shape.name)
    if rule is None:
        return
    advanced = eventual and query.count
    if query.filter:
        filtering.check(query.filter, shape, rule, advanced=advanced)
    if query.search:
        _check_search(query.search, rule, eventual=eventual)
    if query.order:
        _check_order(query, rule, advanced=advanced or (eventual and query.search is not None))


def _check_search(search: Search, rule: QueryRule, *, eventual: bool) -> None:
    if not eventual:
        raise unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
        )
    known = {name.lower() for name in rule.searched_by}
    for term in (term for terms in search for term in terms):
        if term.name.lower() not in known:
            raise bad_request(f"Unsupported property '{term.name}' in $search.")


def _check_order(query: Query, rule: QueryRule, *, advanced: bool) -> None:
    plain, more = rule.sorted_by, rule.sorted_by | rule.sorted_advanced
    known = {name.lower() for name in (more if advanced or not rule.directory else plain)}
    combined = rule.directory and not advanced and (query.filter is not None or query.search is not None)
    if combined or any(name.lower() not in known for name, _ in query.order):
        raise unsupported_query("Sorting not supported for current query.")


def matcher(query: Query) -> Callable[[Json], bool]:
    """Whether an object is one of those asked for."""
    tree, search = query.filter, query.search

    def matches(body: Json) -> bool:
        return (tree is None or filtering.holds(tree, body)) and (search is None or is_found(search, body))

    return matches


def ordered(bodies: Iterable[Json], query: Query) -> list[Json]:
    """The objects as ``$orderby`` has them; null comes before everything, texts are compared without regard to case."""
    found = list(bodies)
    for name, descending in reversed(query.order):
        found.sort(key=partial(_rank, name.lower()), reverse=descending)
    return found


def _rank(name: str, body: Json) -> tuple[bool, str]:
    value = next((value for known, value in body.items() if known.lower() == name), None)
    return value is not None, str(value).casefold()
