"""Does a filter for devices match a device that the tenant does not know?

Every attribute of an unregistered device is null: a positive operator never matches, a negative one always does
(https://learn.microsoft.com/entra/identity/conditional-access/concept-condition-filters-for-devices). So a rule
can be decided from its operators alone.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r'\s*(?:(\(|\))|("(?:[^"`]|`.)*"|\'[^\']*\'|\[[^\]]*\])|(-\w+)|([^\s()\[\]"\']+))')
_NEGATIVE = frozenset({"-ne", "-notin", "-notcontains", "-notstartswith", "-notendswith", "-notmatch"})
_POSITIVE = frozenset({"-eq", "-in", "-contains", "-startswith", "-endswith", "-match"})


class _Unreadable(Exception):  # noqa: N818 - a signal inside this module, never seen outside
    """The rule does not follow the grammar known here."""


def matches_unknown_device(rule: str) -> bool | None:
    """Whether the rule matches an unregistered device; ``None`` if the rule is not understood."""
    try:
        rest = _tokens(rule)
        verdict = _either(rest)
    except _Unreadable:
        return None
    return None if rest else verdict


def _tokens(rule: str) -> list[str]:
    """The rule's tokens, lower case, last first, so that ``pop`` takes the next."""
    tokens: list[str] = []
    position, text = 0, rule.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _Unreadable
        tokens.append(found.group().strip().lower())
        position = found.end()
    return tokens[::-1]


def _take(rest: list[str]) -> str:
    if not rest:
        raise _Unreadable
    return rest.pop()


def _next_is(rest: list[str], *words: str) -> bool:
    return bool(rest) and rest[-1] in words


def _either(rest: list[str]) -> bool:
    verdict = _both(rest)
    while _next_is(rest, "-or", "or"):
        rest.pop()
        verdict = _both(rest) or verdict
    return verdict


def _both(rest: list[str]) -> bool:
    verdict = _single(rest)
    while _next_is(rest, "-and", "and"):
        rest.pop()
        verdict = _single(rest) and verdict
    return verdict


def _single(rest: list[str]) -> bool:
    if _next_is(rest, "-not", "not"):
        rest.pop()
        return not _single(rest)
    if _next_is(rest, "("):
        rest.pop()
        verdict = _either(rest)
        if _take(rest) != ")":
            raise _Unreadable
        return verdict
    return _comparison(rest)


def _comparison(rest: list[str]) -> bool:
    """``device.attribute -operator value``. Comparing with null turns the sense of the operator round."""
    attribute, operator, value = _take(rest), _take(rest), _take(rest)
    if not attribute.startswith("device.") or operator not in _NEGATIVE | _POSITIVE or value in {"(", ")"}:
        raise _Unreadable
    negative = operator in _NEGATIVE
    return not negative if value.strip("\"'") in {"null", "$null"} else negative
