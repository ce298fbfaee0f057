"""Does a filter for devices match a device that the tenant does not know, or one of which a little is known?

Every attribute of an unregistered device is null: a positive operator never matches, a negative one always does
(https://learn.microsoft.com/entra/identity/conditional-access/concept-condition-filters-for-devices). So a rule
can be decided from its operators alone. Of a registered device some attributes are given and the rest may be
anything: what hangs on those cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(r'\s*(?:(\(|\))|("(?:[^"`]|`.)*"|\'[^\']*\'|\[[^\]]*\])|(-\w+)|([^\s()\[\]"\']+))')
_NEGATIVE = frozenset({"-ne", "-notin", "-notcontains", "-notstartswith", "-notendswith", "-notmatch"})
_POSITIVE = frozenset({"-eq", "-in", "-contains", "-startswith", "-endswith", "-match"})
_WHOLE_VALUES = frozenset({"-eq", "-ne", "-in", "-notin"})

Known = Mapping[str, str]
"""The attributes that are given of a registered device, names and values in lower case: ``iscompliant``, ``true``."""


class _Unreadable(Exception):  # noqa: N818 - a signal inside this module, never seen outside
    """The rule does not follow the grammar known here."""


def matches_unknown_device(rule: str) -> bool | None:
    """Whether the rule matches an unregistered device; ``None`` if the rule is not understood."""
    return _matches(rule, None)


def matches_known_device(rule: str, known: Known) -> bool | None:
    """Whether the rule matches a registered device; ``None`` also if it hangs on what is not given of the device."""
    return _matches(rule, known)


def _matches(rule: str, known: Known | None) -> bool | None:
    try:
        rest = _tokens(rule)
        verdict = _either(rest, known)
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


def _either(rest: list[str], known: Known | None) -> bool | None:
    found = [_both(rest, known)]
    while _next_is(rest, "-or", "or"):
        rest.pop()
        found.append(_both(rest, known))
    return True if True in found else None if None in found else False


def _both(rest: list[str], known: Known | None) -> bool | None:
    found = [_single(rest, known)]
    while _next_is(rest, "-and", "and"):
        rest.pop()
        found.append(_single(rest, known))
    return False if False in found else None if None in found else True


def _single(rest: list[str], known: Known | None) -> bool | None:
    if _next_is(rest, "-not", "not"):
        rest.pop()
        verdict = _single(rest, known)
        return None if verdict is None else not verdict
    if _next_is(rest, "("):
        rest.pop()
        verdict = _either(rest, known)
        if _take(rest) != ")":
            raise _Unreadable
        return verdict
    return _comparison(rest, known)


def _comparison(rest: list[str], known: Known | None) -> bool | None:
    """``device.attribute -operator value``. Comparing with null turns the sense of the operator round."""
    attribute, operator, value = _take(rest), _take(rest), _take(rest)
    if not attribute.startswith("device.") or operator not in _NEGATIVE | _POSITIVE or value in {"(", ")"}:
        raise _Unreadable
    negative = operator in _NEGATIVE
    null = value.strip("\"'") in {"null", "$null"}
    if known is None:
        return not negative if null else negative
    actual = known.get(attribute.removeprefix("device."))
    if actual is None or operator not in _WHOLE_VALUES:
        return None
    return (not null and actual in _values(value)) != negative


def _values(token: str) -> list[str]:
    """The values of a list, or the only one, without brackets and quotes."""
    return [value.strip(" \"'") for value in token.strip("[]").split(",")]
