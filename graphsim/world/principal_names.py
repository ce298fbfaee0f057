"""Users by user principal name, without a list of names: it is taken apart for the numbers that could have it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphsim.directory.users import numbers_named
from graphsim.world.state import TenantState

_NUMBERED = re.compile(r"(?:svc-[a-z-]+|[a-z-]+)-(\d+)@")
_BREAK_GLASS = re.compile(r"breakglass([12])@")
_PERSON = re.compile(r"(?:adm-)?([a-z]+)\.([a-z]+)(\d*)(?:_[a-z]+\.example#ext#)?@")


def user_number(state: TenantState, principal: str) -> int | None:
    """The number of the user of that name, in any case of letters; ``None`` when nobody has it."""
    wanted = principal.casefold()
    for number in _candidates(state, wanted):
        if state.exists(number) and str(state.user(number)["userPrincipalName"]).casefold() == wanted:
            return number
    return None


def _candidates(state: TenantState, wanted: str) -> Iterator[int]:
    if found := _BREAK_GLASS.match(wanted):
        yield int(found[1]) - 1
    if found := _NUMBERED.match(wanted):
        yield int(found[1])
    if found := _PERSON.match(wanted):
        yield from numbers_named(state.tenant.key, found[1], found[2], found[3])
