"""The run ledger on real PostgreSQL: who may claim a step, and what its completion leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from pipeline.domain.runs import Lane, Stage, StepRef
from pipeline.stages.dispatch import FIRST
from pipeline.storage import ledger
from pipeline.storage.database import Database
from tests.ledger_steps import (
    COMPARISON_ROUTE,
    NOW,
    SECOND,
    add_source,
    claim,
    claimed,
    complete,
    do,
    new_run,
    open_run,
    ref_of,
    report,
    routed_run,
    standing,
)

pytestmark = pytest.mark.servers


def test_a_source_has_one_active_run_and_a_key_is_used_once(database: Database) -> None:
    scope, other = add_source(database), add_source(database, "other")
    first = new_run(scope, "window")

    def opens(run: ledger.NewRun) -> bool:
        with database.begin() as connection:
            return ledger.open_run(connection, run, FIRST)

    assert opens(first)
    assert not opens(new_run(scope, "next window")), "its source has one running"
    assert not opens(new_run(other, "window")), "the key was used"
    with database.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'succeeded'"))
    assert not opens(new_run(scope, "window")), "a key stays used when its run has ended"
    assert opens(new_run(scope, "next window"))
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM run_steps")).scalar_one() == 2


def test_a_claimed_step_knows_its_run(database: Database) -> None:
    scope = add_source(database)

    step = claimed(database, open_run(database, scope))

    assert (step.run.scope, step.run.source.tenant, step.attempts) == (scope, "acme", 1)
    assert claimed(database, step.ref).attempts == 2, "a message delivered twice is claimed twice"


def test_a_step_that_is_done_is_not_claimed_again(database: Database) -> None:
    run_id = routed_run(database, add_source(database))

    assert claim(database, ref_of(run_id, Stage.ROUTE)) is None


@pytest.mark.parametrize("fence", [0, 2])
def test_a_message_with_another_fence_claims_nothing(database: Database, fence: int) -> None:
    run_id = routed_run(database, add_source(database))

    assert claim(database, ref_of(run_id, Stage.LOAD, fence=fence)) is None
    assert standing(database, run_id).steps["main/load"] == "dispatched"


@pytest.mark.parametrize("stage", [Stage.LINK, Stage.ANALYZE, Stage.ALERT])
def test_a_step_is_not_claimed_before_the_ones_before_it_have_ended(database: Database, stage: Stage) -> None:
    run_id = routed_run(database, add_source(database))
    claimed(database, ref_of(run_id, Stage.LOAD))

    assert claim(database, ref_of(run_id, stage)) is None


def test_a_step_held_back_is_claimed_at_its_time_and_not_before(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    due = NOW + 30 * SECOND
    complete(database, claimed(database, ref_of(run_id, Stage.LOAD)), next_due_at=due)

    assert standing(database, run_id).steps["main/link"] == "waiting"
    assert claim(database, ref_of(run_id, Stage.LINK), due - timedelta(microseconds=1)) is None
    assert claim(database, ref_of(run_id, Stage.LINK), due) is not None


def test_nothing_of_an_ended_run_is_claimed(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    with database.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'failed'"))

    assert claim(database, ref_of(run_id, Stage.LOAD)) is None


def test_a_completion_hands_its_detail_and_the_turn_to_the_next_step(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    step = claimed(database, ref_of(run_id, Stage.LOAD))
    with database.begin() as connection:
        told = replace(_report(), detail={"new": 3}, entities={"groups": 2}, seconds=1.5, queries=7)
        assert ledger.complete(connection, step, told, NOW)

    assert standing(database, run_id).steps["main/link"] == "dispatched"
    assert claimed(database, ref_of(run_id, Stage.LINK)).handed == {"new": 3}
    with database.begin() as connection:
        row = connection.execute(text("SELECT seconds, queries FROM run_steps WHERE stage = 'load'")).one()
        counts = connection.execute(text("SELECT entity_counts FROM runs")).scalar_one()
    assert (tuple(row), counts) == ((1.5, 7), {"groups": 2})


def _report() -> ledger.StepReport:
    return ledger.StepReport(detail={}, seconds=0, queries=0, query_seconds=0, entities={}, events=(), last=False)


def test_the_last_step_ends_the_run(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    do(database, *(ref_of(run_id, stage) for stage in (Stage.LOAD, Stage.LINK, Stage.ANALYZE)))

    complete(database, claimed(database, ref_of(run_id, Stage.ALERT)), last=True)

    found = standing(database, run_id)
    assert (found.run, set(found.steps.values())) == ("succeeded", {"done"})


def test_both_lanes_get_their_turn_after_the_capture_and_go_on_alone(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    before = claim(database, ref_of(run_id, Stage.LOAD, Lane.CANDIDATE))
    do(database, ref_of(run_id, Stage.CAPTURE))
    loads = [ref_of(run_id, Stage.LOAD, lane) for lane in (Lane.CONTROL, Lane.CANDIDATE)]

    do(database, loads[0], ref_of(run_id, Stage.LINK, Lane.CONTROL))

    found = standing(database, run_id).steps
    assert before is None
    assert (found["control/analyze"], found["candidate/load"], found["candidate/link"]) == (
        "dispatched",
        "dispatched",
        "pending",
    )
    assert found["main/compare"] == "pending"


def test_the_entities_of_a_run_are_those_its_own_branch_counted(database: Database) -> None:
    run_id = routed_run(database, add_source(database), COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    for lane, count in ((Lane.CONTROL, 7), (Lane.CANDIDATE, 3)):
        step = claimed(database, ref_of(run_id, Stage.LOAD, lane))
        with database.begin() as connection:
            assert ledger.complete(connection, step, replace(report(), entities={"identities": count}), NOW)

    with database.begin() as connection:
        assert connection.execute(text("SELECT entity_counts FROM runs")).scalar_one() == {"identities": 7}


def test_a_beat_says_whether_the_worker_still_holds_the_step(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    ref = claimed(database, ref_of(run_id, Stage.LOAD)).ref

    def beats(which: StepRef) -> bool:
        with database.begin() as connection:
            return ledger.heartbeat(connection, which, NOW + SECOND)

    assert beats(ref)
    assert not beats(replace(ref, fence=2))
    assert not beats(replace(ref, stage=Stage.LINK)), "it is not running"
