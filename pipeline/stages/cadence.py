"""Cadence: which lists a run reads whole, and of which it reads the changes.

Two cadences, because Microsoft's changes do not tell everything: a sign-in and a registered method change no user
(https://learn.microsoft.com/graph/delta-query-overview). Between whole readings the changes suffice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.domain.capture import LastReading, Resource

READ_ALONG: Mapping[Resource, tuple[Resource, ...]] = {
    Resource.USERS: (Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS),
    Resource.GROUPS: (Resource.GROUP_MEMBERS,),
    Resource.DIRECTORY_ROLES: (Resource.ROLE_MEMBERS,),
}
"""Lists whose changes can be read, each with what comes with it."""

APPLY_CHANGES = frozenset({"batch"})
"""The linkers whose runs may read changes; the former ones know whole lists only."""

REFUSED_FOR = timedelta(hours=6)
"""Microsoft refuses sign-ins now and then to tenants that have the licence."""

NEVER = LastReading(complete=False, refused=False, read_in_full_at=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """Which linkers can apply changes, and how long changes alone may be read."""

    linkers: frozenset[str]
    whole_every: timedelta


def changes_suffice(
    wanted: Collection[Resource], last: Mapping[Resource, LastReading], now: datetime, *, whole_every: timedelta
) -> dict[Resource, str]:
    """The token to go on from, for each wanted list that was read whole, with all that comes with it, lately.

    Anything incomplete is read whole again, so that nothing is built upon a gap. What the provider refuses beside a
    list, as sign-ins without a premium licence, has no token and is asked for again ``REFUSED_FOR`` later.
    """
    since: dict[Resource, str] = {}
    for resource, along in READ_ALONG.items():
        readings = {one: last.get(one, NEVER) for one in (resource, *along) if one in wanted}
        token = readings[resource].token if resource in readings else ""
        refused = {one for one, reading in readings.items() if reading.refused} - {resource}
        oldest = now - (min(whole_every, REFUSED_FOR) if refused else whole_every)
        if token and all(_is_whole(readings[one], oldest) for one in readings.keys() - refused):
            since |= dict.fromkeys(readings.keys() - refused, token)
    return since


def _is_whole(reading: LastReading, oldest: datetime) -> bool:
    return reading.complete and reading.read_in_full_at is not None and reading.read_in_full_at > oldest
