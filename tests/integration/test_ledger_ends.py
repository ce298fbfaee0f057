"""The run ledger when things go wrong: failures, postponements, and what a reconciler finds."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from pipeline.domain.runs import Lane, Stage, StepRef
from pipeline.errors import ThrottledError
from pipeline.stages.dispatch import redispatch_overdue
from pipeline.storage import ledger
from pipeline.storage.database import Database
from tests.ledger_steps import (
    COMPARISON_ROUTE,
    JOB_TIMEOUT,
    LOST_AFTER,
    NOW,
    PATIENCE,
    SECOND,
    add_source,
    claim,
    claimed,
    complete,
    do,
    open_run,
    ref_of,
    routed_run,
    standing,
)

pytestmark = pytest.mark.servers
LATE = NOW + LOST_AFTER + SECOND


def fail(database: Database, ref: StepRef) -> bool:
    with database.begin() as connection:
        return ledger.fail(connection, ref, "Code", "It broke.", NOW)


def found_overdue(database: Database, now: object = LATE) -> list[tuple[UUID, str]]:
    with database.begin() as connection:
        assert isinstance(now, type(NOW))
        return [(item.ref.run_id, item.ref.stage.value) for item in ledger.overdue(connection, now, PATIENCE)]


def test_a_failed_step_ends_the_run_with_its_reason_and_skips_the_rest(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    ref = claimed(database, ref_of(run_id, Stage.LOAD)).ref

    assert fail(database, ref)

    found = standing(database, run_id)
    assert found.run == "failed"
    assert found.steps == {
        "main/route": "done",
        "main/load": "failed",
        "main/link": "skipped",
        "main/analyze": "skipped",
        "main/alert": "skipped",
    }
    with database.begin() as connection:
        row = connection.execute(text("SELECT error_code, error_message FROM runs")).one()
    assert tuple(row) == ("Code", "It broke.")
    assert not fail(database, ref), "it fails once"


def test_a_fenced_out_worker_cannot_fail_the_step(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    ref = claimed(database, ref_of(run_id, Stage.LOAD)).ref
    with database.begin() as connection:
        ledger.redispatch(connection, ref, NOW)

    assert not fail(database, ref)
    assert standing(database, run_id).run == "running"


def test_a_failed_candidate_leaves_the_run_and_the_control_going(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))

    assert fail(database, claimed(database, ref_of(run_id, Stage.LOAD, Lane.CANDIDATE)).ref)

    found = standing(database, run_id)
    assert (found.run, found.steps["candidate/alert"], found.steps["main/compare"]) == ("running", "skipped", "pending")
    stages = (Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT)
    do(database, *(ref_of(run_id, stage, Lane.CONTROL) for stage in stages))
    assert claim(database, ref_of(run_id, Stage.COMPARE)) is not None


def test_a_failed_control_fails_the_run_and_the_candidate_with_it(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    candidate = claimed(database, ref_of(run_id, Stage.LOAD, Lane.CANDIDATE))

    assert fail(database, claimed(database, ref_of(run_id, Stage.LOAD, Lane.CONTROL)).ref)

    found = standing(database, run_id)
    assert (found.run, found.steps["candidate/load"], found.steps["main/compare"]) == ("failed", "skipped", "skipped")
    assert not complete(database, candidate), "a candidate under way has no effect any more"


def test_a_postponed_step_waits_for_its_time_and_remembers_why(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    ref = claimed(database, ref_of(run_id, Stage.LOAD)).ref
    due = NOW + 7 * SECOND
    with database.begin() as connection:
        ledger.postpone(connection, ref, due, ThrottledError("Slow down.", retry_after=7))
        why = connection.execute(text("SELECT error_code, error_message FROM run_steps WHERE stage = 'load'")).one()

    assert tuple(why) == ("ThrottledError", "Slow down.")
    assert claim(database, ref, due - SECOND) is None
    assert found_overdue(database, due - SECOND) == []
    assert found_overdue(database, due) == [(run_id, "load")]


def test_a_message_lost_and_a_worker_silent_are_overdue_and_healthy_steps_are_not(database: Database) -> None:
    runs = {name: routed_run(database, add_source(database, name)) for name in ("asked", "silent", "healthy")}
    for name in ("silent", "healthy"):
        claimed(database, ref_of(runs[name], Stage.LOAD))
    with database.begin() as connection:
        assert ledger.heartbeat(connection, ref_of(runs["healthy"], Stage.LOAD), LATE)

    # A message that merely queues is given twice as long for each time it was asked for; a silent worker is not.
    assert found_overdue(database, NOW + LOST_AFTER) == []
    assert set(found_overdue(database)) == {(runs["asked"], "load"), (runs["silent"], "load")}


def test_a_step_asked_for_again_is_given_twice_as_long(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    with database.begin() as connection:
        ledger.redispatch(connection, ref_of(run_id, Stage.LOAD), LATE)

    assert found_overdue(database, LATE + LOST_AFTER + SECOND) == []
    assert found_overdue(database, LATE + 2 * LOST_AFTER + SECOND) == [(run_id, "load")]


def test_nothing_of_an_ended_run_is_overdue(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    fail(database, claimed(database, ref_of(run_id, Stage.LOAD)).ref)

    assert found_overdue(database, NOW + timedelta(days=1)) == []


def test_two_reconcilers_at_once_share_the_work(database: Database) -> None:
    expected = {routed_run(database, add_source(database, f"tenant {number}")) for number in range(10)}

    with database.begin() as first, database.begin() as second:
        second.execute(text("SET LOCAL lock_timeout = '5s'"))  # a claim that waits is a failure
        mine = {item.ref.run_id for item in ledger.overdue(first, LATE, PATIENCE, most=5)}
        others = {item.ref.run_id for item in ledger.overdue(second, LATE, PATIENCE)}

    assert len(mine) == 5
    assert mine | others == expected
    assert not mine & others


def test_a_redispatch_in_the_middle_of_a_lane_asks_for_the_rest_of_it(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    do(database, ref_of(run_id, Stage.LOAD))
    with database.begin() as connection:
        again = ledger.redispatch(connection, ref_of(run_id, Stage.LINK), NOW)

    assert again is not None
    assert (again.lane, again.fence) == (Lane.MAIN, 2)
    assert [stage for stage, _ in again.steps] == [Stage.LINK, Stage.ANALYZE, Stage.ALERT]
    assert [queue for _, queue in again.steps] == ["sync.new", "analyze.new", "alerts"]
    do(database, *(ref_of(run_id, stage, fence=2) for stage, _ in again.steps))


def test_a_redispatch_of_one_lane_leaves_the_other_alone(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    control = claimed(database, ref_of(run_id, Stage.LOAD, Lane.CONTROL))
    with database.begin() as connection:
        ledger.redispatch(connection, ref_of(run_id, Stage.LOAD, Lane.CANDIDATE), NOW)

    assert complete(database, control)


def test_a_candidate_nobody_begins_is_ended_and_the_run_goes_on(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))

    redispatch_overdue(database, NOW + JOB_TIMEOUT + SECOND, PATIENCE)

    found = standing(database, run_id)
    assert (found.run, found.steps["candidate/load"], found.steps["control/load"]) == (
        "running",
        "failed",
        "dispatched",
    )


def test_what_a_failed_run_should_have_read_is_due_again_before_its_interval(database: Database) -> None:
    scope = add_source(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE schedules SET next_due_at = :later"), {"later": NOW + timedelta(days=1)})
    ref = claimed(database, open_run(database, scope)).ref

    with database.begin() as connection:
        assert ledger.fail(connection, ref, "Code", "Sentence.", NOW, again_at=NOW + JOB_TIMEOUT)

    with database.begin() as connection:
        due = connection.execute(text("SELECT DISTINCT next_due_at FROM schedules")).scalars().all()
    assert due == [NOW + JOB_TIMEOUT]
