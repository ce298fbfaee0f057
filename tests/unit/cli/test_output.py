"""The small parts of what is printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from pipeline.cli.pages.comparison import improvement
from pipeline.cli.pages.moments import parsed_moment, seconds, shown
from pipeline.cli.pages.output import plain
from pipeline.errors import UserError
from pipeline.storage.reports.comparisons import ComparisonPage, Performance
from pipeline.storage.reports.prefixes import id_range, only_one

FIRST = UUID("ab000000-0000-0000-0000-000000000001")
SECOND = UUID("ab000000-0000-0000-0000-000000000002")


def test_names_cannot_steer_the_terminal() -> None:
    assert plain("Eve\x1b[2J\n[red]").plain == "Eve\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}[red]"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.0121, "12 ms"), (1.25, "1.2 s"), (61.0, "1 min 1 s"), (3600.0, "60 min 0 s")]
)
def test_lengths_of_time(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_times_are_read_and_shown_in_utc() -> None:
    assert parsed_moment("2026-01-31", "--now") == datetime(2026, 1, 31, tzinfo=UTC)
    east = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    assert shown(east) == "2026-01-31 10:00:00"


def test_an_id_is_found_by_how_it_begins() -> None:
    ids = id_range("AB00-0", "run", "mspbyte runs list")
    assert ids.first <= FIRST <= ids.last
    assert not ids.first <= UUID(int=0) <= ids.last


@pytest.mark.parametrize("text", ["", "xyz", "g", "a" * 33])
def test_what_cannot_begin_an_id_is_refused_with_how_to_list(text: str) -> None:
    with pytest.raises(UserError, match="mspbyte runs list"):
        id_range(text, "run", "mspbyte runs list")


def test_no_id_and_several_ids_are_told_apart() -> None:
    with pytest.raises(UserError, match=r"There is no run ab; `mspbyte runs list`"):
        only_one([], "ab", "run", "mspbyte runs list")
    with pytest.raises(UserError, match="More than one run begins with ab"):
        only_one([FIRST, SECOND], "ab", "run", "mspbyte runs list")


def test_improvement_is_said_of_the_candidate_and_only_where_it_can_be() -> None:
    page = ComparisonPage(
        run=FIRST,
        tenant="contoso",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        control="legacy",
        candidate="unified",
        result="match",
        discrepancies=0,
        declared=0,
        candidate_error="",
        causes=(),
        examples=(),
        performance_control=Performance(seconds=2.0, queries=100),
        performance_candidate=Performance(seconds=0.5, queries=120),
    )
    assert improvement(page) == {"seconds": 75.0, "queries": -20.0, "query_seconds": None}
