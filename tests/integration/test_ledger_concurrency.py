"""The run ledger under real concurrency: of two workers one counts, and no turn is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import text

from pipeline import events
from pipeline.domain.capture import SyncType
from pipeline.domain.runs import ClaimedStep, Lane, Scope, Stage
from pipeline.storage import ledger
from pipeline.storage.database import Database
from pipeline.storage.outbox import add_events
from tests.ledger_steps import (
    COMPARISON_ROUTE,
    LOST_AFTER,
    NOW,
    PATIENCE,
    SECOND,
    add_source,
    claim,
    claimed,
    complete,
    do,
    new_run,
    ref_of,
    report,
    routed_run,
    standing,
    together,
    wait_until_blocked,
)

pytestmark = pytest.mark.servers
REPETITIONS = 40


def work(database: Database, step: ClaimedStep) -> bool:
    """A worker's transaction: an effect, then the completion; without the latter the effect is rolled back."""
    with database.engine.connect() as connection:
        add_events(connection, step.run.scope, [events.linked(SyncType.GROUPS, {})], NOW)
        counts = ledger.complete(connection, step, report(), NOW)
        if counts:
            connection.commit()
    return counts


def effects(database: Database) -> int:
    with database.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM outbox")).scalar_one())


def end_active_run(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'succeeded' WHERE state = 'running'"))


def test_of_workers_with_the_same_message_exactly_one_has_an_effect(database: Database) -> None:
    scope = add_source(database)
    for repetition in range(1, REPETITIONS + 1):
        run_id = routed_run(database, scope)
        held = [claimed(database, ref_of(run_id, Stage.LOAD)) for _ in range(3)]

        won = together(*(partial(work, database, step) for step in held))

        assert sorted(won) == [False, False, True]
        assert effects(database) == repetition
        assert standing(database, run_id).steps["main/link"] == "dispatched"
        end_active_run(database)


def test_of_two_dispatchers_exactly_one_opens_the_run(database: Database) -> None:
    scope = add_source(database)

    def opens(key: str) -> bool:
        with database.begin() as connection:
            first = ledger.PlannedStep(lane=Lane.MAIN, stage=Stage.ROUTE, queue="router")
            return ledger.open_run(connection, new_run(scope, key), first)

    for repetition in range(REPETITIONS):
        assert sorted(together(*(partial(opens, f"window {repetition}") for _ in range(2)))) == [False, True]
        end_active_run(database)


def test_a_redispatch_fences_the_old_worker_out(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    old = claimed(database, ref_of(run_id, Stage.LOAD))
    with database.begin() as connection:
        (lost,) = ledger.overdue(connection, NOW + LOST_AFTER + SECOND, PATIENCE)
        again = ledger.redispatch(connection, lost.ref, NOW + LOST_AFTER)

    assert again is not None
    assert again.fence == 2
    assert [stage for stage, _ in again.steps] == [Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT]
    assert not work(database, old)
    assert claim(database, old.ref) is None
    assert effects(database) == 0
    assert work(database, claimed(database, ref_of(run_id, Stage.LOAD, fence=2)))
    assert effects(database) == 1


def test_a_worker_that_completes_while_it_is_fenced_out_loses(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    old = claimed(database, ref_of(run_id, Stage.LOAD))

    with ThreadPoolExecutor(1) as threads:
        with database.begin() as reconciler:
            (lost,) = ledger.overdue(reconciler, NOW + LOST_AFTER + SECOND, PATIENCE)
            late = threads.submit(work, database, old)
            wait_until_blocked(database)
            ledger.redispatch(reconciler, lost.ref, NOW + LOST_AFTER)
        assert late.result(timeout=30) is False

    assert (effects(database), standing(database, run_id).steps["main/load"]) == (0, "dispatched")


def test_a_step_that_is_completed_while_a_reconciler_looks_is_left_alone(database: Database) -> None:
    run_id = routed_run(database, add_source(database))
    step = claimed(database, ref_of(run_id, Stage.LOAD))
    with database.begin() as worker:
        assert ledger.complete(worker, step, report(), NOW)
        with database.begin() as reconciler:
            assert ledger.overdue(reconciler, NOW + LOST_AFTER + SECOND, PATIENCE) == []


def bring_to_the_end_of_both_lanes(database: Database, scope: Scope) -> tuple[ClaimedStep, ClaimedStep]:
    run_id = routed_run(database, scope, COMPARISON_ROUTE)
    do(database, ref_of(run_id, Stage.CAPTURE))
    for lane in (Lane.CONTROL, Lane.CANDIDATE):
        do(database, *(ref_of(run_id, stage, lane) for stage in (Stage.LOAD, Stage.LINK, Stage.ANALYZE)))
    ends = [claimed(database, ref_of(run_id, Stage.ALERT, lane)) for lane in (Lane.CONTROL, Lane.CANDIDATE)]
    return ends[0], ends[1]


def turned(database: Database, step: ClaimedStep) -> bool:
    """Whether the comparison of the step's run has its turn."""
    return standing(database, step.run.id).steps["main/compare"] in {"dispatched", "waiting"}


def test_lanes_that_end_at_the_same_moment_give_compare_its_turn(database: Database) -> None:
    scope = add_source(database)
    for _ in range(REPETITIONS):
        control, candidate = bring_to_the_end_of_both_lanes(database, scope)

        assert all(together(partial(complete, database, control), partial(complete, database, candidate)))

        assert turned(database, control)
        end_active_run(database)


def test_lanes_of_overlapping_transactions_give_compare_its_turn_once(database: Database) -> None:
    control, candidate = bring_to_the_end_of_both_lanes(database, add_source(database))

    with ThreadPoolExecutor(1) as threads:
        with database.begin() as first:
            assert ledger.complete(first, control, report(), NOW)
            second = threads.submit(complete, database, candidate)
            wait_until_blocked(database)
            assert not turned(database, control)
        assert second.result(timeout=30)

    assert turned(database, control)
    compare = claimed(database, ref_of(control.run.id, Stage.COMPARE))
    assert complete(database, compare, last=True)
    assert claim(database, compare.ref) is None


def test_a_candidate_that_fails_as_the_control_ends_gives_compare_its_turn(database: Database) -> None:
    scope = add_source(database)

    def fail(step: ClaimedStep) -> bool:
        with database.begin() as connection:
            return ledger.fail(connection, step.ref, "Code", "It broke.", NOW)

    for _ in range(REPETITIONS):
        control, candidate = bring_to_the_end_of_both_lanes(database, scope)

        assert all(together(partial(complete, database, control), partial(fail, candidate)))

        assert turned(database, control)
        end_active_run(database)
