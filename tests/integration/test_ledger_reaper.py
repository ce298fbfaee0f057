"""What beat's reconciler does with steps nobody is doing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from pipeline.domain.runs import Lane, Stage
from pipeline.stages.dispatch import redispatch_overdue
from pipeline.storage.database import Database
from tests.ledger_steps import (
    COMPARISON_ROUTE,
    JOB_TIMEOUT,
    LOST_AFTER,
    NOW,
    PATIENCE,
    SECOND,
    add_source,
    claimed,
    do,
    ref_of,
    routed_run,
    standing,
    together,
)

pytestmark = pytest.mark.servers
LATE = NOW + LOST_AFTER + SECOND
TOO_LATE = NOW + JOB_TIMEOUT + SECOND


def reap(database: Database, now: datetime = LATE) -> list[tuple[Lane, list[Stage]]]:
    """The lanes asked for again and their stages."""
    again = redispatch_overdue(database, now, PATIENCE)
    return [(dispatch.lane, [stage for stage, _ in dispatch.steps]) for dispatch in again]


def test_a_lost_step_is_asked_for_again_with_the_rest_of_its_lane(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    claimed(database, ref_of(run_id, Stage.LOAD))

    assert reap(database) == [(Lane.MAIN, [Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT])]
    assert reap(database) == [], "it was asked for a moment ago"


def test_a_step_past_its_deadline_ends_its_run_with_the_reason(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    claimed(database, ref_of(run_id, Stage.LOAD))

    assert reap(database, TOO_LATE) == []

    assert standing(database, run_id).run == "failed"
    with database.begin() as connection:
        code, message = connection.execute(text("SELECT error_code, error_message FROM runs")).one()
    assert code == "DeadlineExceededError"
    assert "JOB_TIMEOUT_MS" in message


def test_a_candidate_past_its_deadline_leaves_the_run_to_its_control(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    claimed(database, ref_of(run_id, Stage.LOAD, Lane.CANDIDATE))
    stages = (Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT)
    do(database, *(ref_of(run_id, stage, Lane.CONTROL) for stage in stages))

    reap(database, TOO_LATE)

    found = standing(database, run_id)
    assert (found.run, found.steps["candidate/load"]) == ("running", "failed")
    assert found.steps["main/compare"] in {"dispatched", "waiting"}
    assert claimed(database, ref_of(run_id, Stage.COMPARE), TOO_LATE).run.deadline_at > TOO_LATE


def test_both_lanes_past_their_deadline_end_the_run_once(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    for lane in (Lane.CONTROL, Lane.CANDIDATE):
        claimed(database, ref_of(run_id, Stage.LOAD, lane))

    assert reap(database, TOO_LATE) == []

    assert standing(database, run_id).run == "failed"


def test_a_control_past_its_deadline_takes_a_candidate_with_it_that_nobody_has_begun(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    claimed(database, ref_of(run_id, Stage.LOAD, Lane.CONTROL))
    with database.begin() as connection:
        later = text("UPDATE run_steps SET dispatched_at = :now WHERE lane = 'candidate' AND stage = 'load'")
        connection.execute(later, {"now": NOW + SECOND})

    assert reap(database, TOO_LATE) == []

    found = standing(database, run_id)
    assert (found.run, found.steps["candidate/load"]) == ("failed", "skipped")


def test_reconcilers_at_the_same_moment_ask_once_for_each_lane(database: Database) -> None:
    runs = 20
    for number in range(runs):
        claimed(database, ref_of(routed_run(database, add_source(database, f"tenant {number}")), Stage.LOAD))
    moment = LATE
    for _ in range(5):
        found = together(*(lambda now=moment: redispatch_overdue(database, now, PATIENCE) for _ in range(3)))

        again = [dispatch.run_id for dispatches in found for dispatch in dispatches]
        assert len(again) == len(set(again)) == runs
        moment += timedelta(minutes=1)
        with database.begin() as connection:
            connection.execute(text("UPDATE run_steps SET dispatches = 0"))
