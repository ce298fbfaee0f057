"""What a row says of its figure, as a document and as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from benchmarks.rows import Goal, Measure, Row, to_json, to_table

ROW = Row(name="end_to_end", size="100 users", median=250.0, unit="ms", floor=100.0)
AT_MOST_3 = Goal(measure=Measure.RATIO, at_most=3)


def test_the_ratio_follows_from_median_and_floor() -> None:
    assert ROW.times_floor == 2.5


def test_a_ratio_found_pair_by_pair_goes_before_the_one_of_the_medians() -> None:
    assert replace(ROW, ratio=2.0).times_floor == 2.0


def test_without_a_floor_there_is_no_ratio() -> None:
    assert replace(ROW, floor=None).times_floor is None


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (None, None),
        (AT_MOST_3, True),
        (Goal(measure=Measure.RATIO, at_most=2.5), True),
        (Goal(measure=Measure.RATIO, at_most=2.4), False),
        (Goal(measure=Measure.MEDIAN, at_most=250), True),
        (Goal(measure=Measure.MEDIAN, at_most=249), False),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal: Goal | None, met: object) -> None:
    assert replace(ROW, goal=goal).met is met


def test_a_goal_on_a_ratio_without_a_floor_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no floor"):
        _ = replace(ROW, floor=None, goal=AT_MOST_3).met


def test_the_document_holds_the_machine_and_every_field_of_every_row() -> None:
    document = json.loads(
        to_json([replace(ROW, median=123.456, goal=AT_MOST_3), replace(ROW, floor=None)], {"cpus": 2})
    )

    assert document["machine"] == {"cpus": 2}
    assert document["rows"][0] == {
        "name": "end_to_end",
        "size": "100 users",
        "median": 123.5,
        "unit": "ms",
        "floor": 100.0,
        "ratio": 1.235,
        "goal": {"measure": "ratio", "at_most": 3},
        "met": True,
    }
    assert {document["rows"][1][field] for field in ("floor", "ratio", "goal", "met")} == {None}


def test_the_table_shows_a_row_with_its_goal_and_whether_it_is_met() -> None:
    output = StringIO()

    Console(file=output, width=120).print(to_table([replace(ROW, goal=AT_MOST_3)]))

    shown = output.getvalue().splitlines()[-2].replace("│", " ").split()
    assert shown == ["end_to_end", "100", "users", "250", "ms", "100", "2.5", "ratio", "≤", "3", "yes"]
