"""Counters that only grow, counted from rows that are deleted one day. Pure.

A row is counted in one of two parts. *Settled* rows can no longer change in number: their run was opened before every
run that still runs, and longer ago than any transaction lasts. They are counted once and the sum is kept in the
process, so that retention may delete them. *Open* rows are the few after that; each reading counts them afresh, and
as time passes they settle. Nothing is counted twice or missed, however late a transaction commits.

A new process counts the whole ledger while that is young: nothing has been deleted from it yet, so a restart continues
where the last process ended. Once the ledger is older than ``COUNTED_WHOLE``, or than what retention keeps, it starts
at zero. Prometheus takes that as the restart it is, where a sum of what is left would look like a burst. What happened
while no exporter ran is then in the ledger only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from pipeline.storage.figures import Amount, Beginning

COUNTED_WHOLE = timedelta(days=7)
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)

Kind = TypeVar("Kind")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What the next reading looks at: rows from the ``since`` on, of which those before ``until`` are settled."""

    runs_since: datetime
    runs_until: datetime
    alerts_since: int
    alerts_until: int
    seen_at: datetime
    """When ``seen_alert`` was the newest history row; once that is long ago, everything up to it is settled."""
    seen_alert: int


def first_window(begun: Beginning, now: datetime, *, settles_after: timedelta, whole: bool) -> Window:
    """Where a new process begins; ``whole`` says whether it counts what is there already."""
    recent = now - settles_after
    return Window(
        runs_since=FIRST_MOMENT if whole else recent,
        runs_until=FIRST_MOMENT if whole else recent,
        alerts_since=0 if whole else begun.settled_alert,
        alerts_until=begun.settled_alert,
        seen_at=now,
        seen_alert=begun.settled_alert,
    )


def counts_whole(begun: Beginning, now: datetime, kept: timedelta) -> bool:
    """Whether the ledger is young enough to hold everything that ever happened; ``kept`` is what retention keeps."""
    if begun.oldest_run is None:
        return True
    return now - begun.oldest_run < min(COUNTED_WHOLE, kept - timedelta(days=1))


def settle(
    window: Window, now: datetime, *, oldest_running: datetime | None, newest_alert: int, settles_after: timedelta
) -> Window:
    """The window with its ``until`` moved as far as rows can be trusted not to change."""
    recent = now - settles_after
    until = max(window.runs_until, min(recent, oldest_running or recent))
    moved = replace(window, runs_until=until)
    if window.seen_at > recent:
        return moved
    return replace(moved, alerts_until=window.seen_alert, seen_at=now, seen_alert=newest_alert)


def after(window: Window) -> Window:
    """The window of the reading after this one: what was settled is not looked at again."""
    return replace(window, runs_since=window.runs_until, alerts_since=window.alerts_until)


class Growing(Generic[Kind]):
    """Amounts by kind that never go down, from reading to reading."""

    def __init__(self, *, from_zero: bool) -> None:
        self._settled: dict[Kind, Amount] = {}
        self._origin: Mapping[Kind, Amount] | None = None if from_zero else {}
        self._last: dict[Kind, Amount] = {}

    def add(self, read: Iterable[tuple[bool, Kind, Amount]]) -> Mapping[Kind, Amount]:
        """The amounts as they now are, given what one window held: (settled, kind, amount)."""
        totals = dict(self._settled)
        for settled, kind, amount in read:
            totals[kind] = plus(totals.get(kind, NONE), amount)
            if settled:
                self._settled[kind] = plus(self._settled.get(kind, NONE), amount)
        if self._origin is None:
            self._origin = totals
        # A tenant that is deleted takes open rows along; its past stays counted all the same.
        self._last |= {
            kind: highest(self._last.get(kind, NONE), minus(amount, self._origin.get(kind, NONE)))
            for kind, amount in totals.items()
        }
        return dict(self._last)


NONE = Amount()


def plus(one: Amount, other: Amount) -> Amount:
    return Amount(one.count + other.count, one.seconds + other.seconds, one.queries + other.queries)


def minus(one: Amount, other: Amount) -> Amount:
    return Amount(one.count - other.count, one.seconds - other.seconds, one.queries - other.queries)


def highest(one: Amount, other: Amount) -> Amount:
    return Amount(max(one.count, other.count), max(one.seconds, other.seconds), max(one.queries, other.queries))
