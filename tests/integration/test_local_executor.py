"""What the executor makes of a step that goes wrong, by the type of its error; over a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from pipeline import events
from pipeline.domain.capture import SyncType
from pipeline.domain.runs import ClaimedStep, Stage, StepRef
from pipeline.errors import PermanentError, ProviderRejectedError, ProviderUnavailableError, ThrottledError
from pipeline.stages.execution import Applied, Apply, Executor, Outcome
from pipeline.storage import ledger
from pipeline.storage.database import Database
from tests.ledger_steps import (
    JOB_TIMEOUT,
    NOW,
    SECOND,
    add_source,
    claimed,
    ref_of,
    routed_run,
    standing,
)

pytestmark = pytest.mark.servers
DEADLINE = NOW + JOB_TIMEOUT
Doing = Callable[[Connection], Applied]
DUPLICATE = "duplicate key value"


def fine(_connection: Connection) -> Applied:
    return Applied(events=[events.linked(SyncType.GROUPS, {})])


def raising(error: Exception) -> Doing:
    def doing(_connection: Connection) -> Applied:
        raise error

    return doing


@dataclass(slots=True)
class Desk:
    """A run whose load step is about to be done, with whatever stage function a test needs."""

    database: Database
    ref: StepRef
    time: datetime = NOW
    told: list[PermanentError] = field(default_factory=list)

    def run(self, apply: Doing = fine, *, gather: Exception | None = None) -> Outcome:
        def stage(_step: ClaimedStep, _now: datetime) -> Apply:
            if gather is not None:
                raise gather
            return apply

        executor = Executor(
            database=self.database,
            stages=dict.fromkeys(Stage, stage),
            on_failure=lambda _connection, _step, error, _now: self.told.append(error),
            clock=lambda: self.time,
            job_timeout=JOB_TIMEOUT,
            heartbeat_every=timedelta(hours=1),
        )
        return executor.run(self.ref).outcome

    def step(self) -> tuple[object, ...]:
        """State, error code and message."""
        with self.database.begin() as connection:
            row = connection.execute(
                text(
                    "SELECT state, error_code, error_message FROM run_steps"
                    " WHERE run_id = :id AND lane = :lane AND stage = :stage"
                ),
                {"id": self.ref.run_id, "lane": self.ref.lane.value, "stage": self.ref.stage.value},
            ).one()
        return tuple(row)

    def due_in(self) -> float:
        with self.database.begin() as connection:
            due: datetime = connection.execute(text("SELECT due_at FROM run_steps WHERE stage = 'load'")).scalar_one()
        return (due - self.time).total_seconds()

    def effects(self) -> int:
        with self.database.begin() as connection:
            return len(connection.execute(text("SELECT 1 FROM outbox")).all())

    def state(self) -> str:
        return standing(self.database, self.ref.run_id).run


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, ref_of(routed_run(database, add_source(database)), Stage.LOAD))


def test_a_step_done_is_done_once_with_its_events(desk: Desk) -> None:
    assert (desk.run(), desk.run()) == (Outcome.DONE, Outcome.NOTHING)
    assert (desk.effects(), desk.step()) == (1, ("done", None, None))


def test_a_throttled_step_waits_as_long_as_it_was_asked_to(desk: Desk) -> None:
    assert desk.run(gather=ThrottledError("Slow down.", retry_after=17)) is Outcome.POSTPONED

    assert desk.step() == ("waiting", "ThrottledError", "Slow down.")
    assert desk.due_in() == 17
    desk.time += 17 * SECOND
    assert desk.run() is Outcome.DONE
    assert desk.step() == ("done", None, None)


def test_waits_grow_and_stay_within_half_a_minute(desk: Desk) -> None:
    for attempt in range(1, 11):
        assert desk.run(gather=ProviderUnavailableError("It does not answer.")) is Outcome.POSTPONED
        longest = min(30.0, 0.5 * 2**attempt)
        assert longest / 2 <= desk.due_in() <= longest
        desk.time += timedelta(seconds=desk.due_in())


def test_a_try_that_would_come_after_the_deadline_is_not_waited_for(desk: Desk) -> None:
    claimed(desk.database, desk.ref)
    desk.time = DEADLINE - 10 * SECOND

    assert desk.run(gather=ThrottledError("Slow down.", retry_after=11)) is Outcome.FAILED

    state, code, message = desk.step()
    assert (state, code, desk.state()) == ("failed", "DeadlineExceededError", "failed")
    assert message == "No try succeeded within JOB_TIMEOUT_MS; the last: Slow down."


def test_a_step_begun_again_after_its_deadline_is_refused_without_being_tried(desk: Desk) -> None:
    claimed(desk.database, desk.ref)
    desk.time = DEADLINE + SECOND

    assert desk.run() is Outcome.FAILED
    assert (desk.effects(), desk.state()) == (0, "failed")
    assert "JOB_TIMEOUT_MS" in str(desk.step()[2])


def test_a_permanent_error_ends_the_run_with_its_code_and_tells_of_it(desk: Desk) -> None:
    error = ProviderRejectedError("Graph refuses the request.", code="Request_BadRequest", status=400)

    assert desk.run(gather=error) is Outcome.FAILED

    assert desk.step() == ("failed", "Request_BadRequest", "Graph refuses the request.")
    assert (desk.told, desk.state()) == ([error], "failed")


@pytest.mark.parametrize("while_applying", [False, True])
def test_a_crash_ends_the_run_with_a_sentence_and_without_the_tenants_data(desk: Desk, *, while_applying: bool) -> None:
    crash = KeyError("ann@customer.example")

    outcome = desk.run(raising(crash)) if while_applying else desk.run(gather=crash)

    state, code, message = desk.step()
    assert (outcome, state, code, desk.effects()) == (Outcome.FAILED, "failed", "PermanentError", 0)
    assert str(message).endswith(".")
    assert "KeyError" in str(message)
    assert "customer" not in str(message)


@pytest.mark.parametrize(
    "error", [IntegrityError("INSERT", None, Exception(DUPLICATE)), psycopg.errors.UniqueViolation(DUPLICATE)], ids=type
)
def test_rows_that_another_worker_wrote_meanwhile_postpone_the_step(desk: Desk, error: Exception) -> None:
    assert desk.run(raising(error)) is Outcome.POSTPONED
    assert desk.state() == "running"


def test_a_step_that_kills_its_worker_every_time_is_given_up(desk: Desk) -> None:
    for _ in range(ledger.MAX_LOSSES):
        claimed(desk.database, desk.ref)

    assert desk.run() is Outcome.FAILED
    assert "never ended" in str(desk.step()[2])


def test_a_tenant_that_is_throttled_again_and_again_is_not_given_up_before_its_deadline(desk: Desk) -> None:
    while desk.time < DEADLINE - 2 * SECOND:
        assert desk.run(gather=ThrottledError("Slow down.", retry_after=1)) is Outcome.POSTPONED
        desk.time += SECOND


def test_a_worker_that_was_fenced_out_while_it_worked_leaves_nothing(desk: Desk) -> None:
    def lost(connection: Connection) -> Applied:
        with desk.database.begin() as other:
            ledger.redispatch(other, desk.ref, NOW)
        return fine(connection)

    assert desk.run(lost) is Outcome.NOTHING
    assert (desk.effects(), desk.step()[0], desk.state()) == (0, "dispatched", "running")
