"""Counters that only grow: what settles when, what is counted where, when a process starts at zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.observability.metrics import totals
from pipeline.observability.metrics.totals import Growing
from pipeline.storage.figures import Amount, Beginning

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARGIN = timedelta(minutes=25)
KEPT = timedelta(days=90)


def begun(oldest: datetime | None = None, settled_alert: int = 0) -> Beginning:
    return Beginning(oldest_run=oldest, settled_alert=settled_alert)


@pytest.mark.parametrize(
    ("oldest", "kept", "whole"),
    [
        (None, KEPT, True),
        (NOW - timedelta(days=6), KEPT, True),
        (NOW - timedelta(days=8), KEPT, False),
        (NOW - timedelta(days=3), timedelta(days=3), False),
        (NOW - timedelta(minutes=1), timedelta(days=1), False),
    ],
)
def test_a_ledger_is_counted_whole_while_nothing_can_have_been_deleted(
    oldest: datetime | None,
    kept: timedelta,
    whole: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert totals.counts_whole(begun(oldest), NOW, kept) is whole


@pytest.mark.parametrize(
    ("oldest_running", "until"),
    [
        (None, NOW - MARGIN),
        (NOW - timedelta(minutes=1), NOW - MARGIN),
        (NOW - timedelta(hours=2), NOW - timedelta(hours=2)),
    ],
)
def test_runs_settle_with_time_and_never_past_one_that_still_runs(
    oldest_running: datetime | None, until: datetime
) -> None:
    window = totals.first_window(begun(), NOW, settles_after=MARGIN, whole=True)

    moved = totals.settle(window, NOW, oldest_running=oldest_running, newest_alert=0, settles_after=MARGIN)

    assert moved.runs_until == until
    assert totals.after(moved).runs_since == until


def test_history_settles_up_to_the_row_that_was_the_newest_a_margin_ago() -> None:
    window = totals.first_window(begun(settled_alert=3), NOW, settles_after=MARGIN, whole=True)
    found = []
    for minutes, newest in ((0, 10), (26, 20), (40, 30), (52, 40)):
        moment = NOW + timedelta(minutes=minutes)
        window = totals.settle(window, moment, oldest_running=None, newest_alert=newest, settles_after=MARGIN)
        found.append(window.alerts_until)

    assert found == [3, 3, 3, 20]


def test_a_process_that_starts_at_zero_counts_what_came_after_its_first_look() -> None:
    growing: Growing[str] = Growing(from_zero=True)

    first = growing.add([(False, "a", Amount(5))])
    second = growing.add([(False, "a", Amount(7)), (False, "b", Amount(1))])

    assert first == {"a": Amount(0)}
    assert second == {"a": Amount(2), "b": Amount(1)}


@dataclass
class Row:
    """One row of a ledger in motion: there from a reading on, settled from one, deleted from one."""

    born: int
    settles: int
    dies: int


ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9)).map(
        lambda drawn: Row(born=drawn[0], settles=drawn[0] + drawn[1], dies=drawn[0] + drawn[1] + drawn[2])
    )
)


@given(ROWS)
def test_whatever_settles_and_is_deleted_every_row_counts_once(rows: list[Row]) -> None:
    growing: Growing[str] = Growing(from_zero=False)
    for reading in range(30):
        seen = [row for row in rows if row.born <= reading < row.dies and reading <= row.settles]

        found = growing.add([(row.settles == reading, "step", Amount(1)) for row in seen])

        assert found.get("step", Amount()).count == len([row for row in rows if row.born <= reading])
