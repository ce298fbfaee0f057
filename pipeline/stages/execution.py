"""Doing one step of a run: claim it, do it, complete it in the transaction of its effect.

The one place that decides what an error means: a transient one postpones the step within the run's deadline, a
permanent one ends the run with its reason.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import psycopg
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from pipeline.domain.runs import ClaimedStep, Lane, Stage, StepRef
from pipeline.errors import DeadlineExceededError, PermanentError, PipelineError, TenantUnreachableError, TransientError
from pipeline.events import Event, JsonValue
from pipeline.observability.queries import QueryTally, counting
from pipeline.stages.memory import frugal
from pipeline.storage import ledger
from pipeline.storage.database import LIVE, Database
from pipeline.storage.ledger import PlannedStep
from pipeline.storage.shadow import shadow_name

log = structlog.get_logger(__name__)

LAST_STAGES = frozenset({Stage.ALERT, Stage.COMPARE})
"""A run's main lane ends with the first of these it has."""

TOO_LONG = "A step of the run took longer than JOB_TIMEOUT_MS allows; the alerts are as they were."

AGAIN_AFTER = timedelta(minutes=15)
"""When what a failed run should have read is due again, if not before; a tenant that refuses us waits otherwise."""

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0


class Outcome(StrEnum):
    DONE = "done"
    NOTHING = "nothing"
    """Done already, fenced out, not due, or the run has ended."""
    POSTPONED = "postponed"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What a step's effect was, to be told in the same transaction; ``delay`` holds the next step back."""

    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    events: Iterable[Event] = ()
    """Walked once."""
    entities: Mapping[str, int] = field(default_factory=dict)
    delay: timedelta | None = None
    routed: tuple[PlannedStep, ...] = ()
    """The steps to ask for once this is committed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How the doing of a step ended."""

    outcome: Outcome
    routed: tuple[PlannedStep, ...] = ()


Apply = Callable[[Connection], Applied]
StageFunction = Callable[[ClaimedStep, datetime], Apply]
"""Gathers and decides; the result writes the effect over the connection it is handed."""

FailureFunction = Callable[[Connection, ClaimedStep, PermanentError, datetime], None]
"""What else is written when a step fails for good."""


class _FencedOutError(Exception):
    """Another worker holds the step now; this one's effect is rolled back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Executor:
    """Runs steps against one database."""

    database: Database
    stages: Mapping[Stage, StageFunction]
    on_failure: FailureFunction
    clock: Callable[[], datetime]
    job_timeout: timedelta
    heartbeat_every: timedelta
    interruptions: tuple[type[Exception], ...] = ()
    """What the worker raises inside a step that takes too long."""

    def run(self, ref: StepRef) -> Ended:
        """Does the step if it is to be done here and now, and says how that ended.

        Raises ``ServerUnavailableError`` only when PostgreSQL cannot even be asked; the step stays due then.
        """
        with counting() as tally:
            begun = time.perf_counter()
            with self.database.begin() as connection:
                step = ledger.claim(connection, ref, self.clock(), self.job_timeout)
            if step is None:
                return Ended(outcome=Outcome.NOTHING)
            try:
                with self._heartbeat(ref), frugal():
                    self._refuse_hopeless(step)
                    return self._do(step, tally, begun)
            except _FencedOutError:
                log.info("step_fenced_out", stage=ref.stage.value, fence=ref.fence)
                return Ended(outcome=Outcome.NOTHING)
            except Exception as error:  # noqa: BLE001 - the task boundary: a run never hangs on a mistake of ours
                return Ended(outcome=self._not_done(step, error))

    def _not_done(self, step: ClaimedStep, error: Exception) -> Outcome:
        """What an error means for the step, by its type."""
        match error:
            case TransientError():
                return self._postpone(step, error)
            case IntegrityError() | psycopg.IntegrityError():  # COPY goes past SQLAlchemy
                return self._postpone(step, TransientError("Another worker wrote the same rows; the step is repeated."))
            case PermanentError():
                return self._fail(step, error)
            case _ if isinstance(error, self.interruptions):
                return self._fail(step, DeadlineExceededError(TOO_LONG))
        log.error("step_crashed", stage=step.ref.stage.value, exc_info=error)
        return self._fail(step, _unexpected(error))

    def _refuse_hopeless(self, step: ClaimedStep) -> None:
        if self.clock() > step.run.deadline_at:
            raise DeadlineExceededError(TOO_LONG)
        if step.losses >= ledger.MAX_LOSSES:
            raise PermanentError(f"The step was begun {step.losses} times and never ended; its worker dies of it.")

    def _do(self, step: ClaimedStep, tally: QueryTally, begun: float) -> Ended:
        """Gather and decide outside any transaction, then apply and complete in one."""
        now = self.clock()
        apply = self.stages[step.ref.stage](step, now)
        with self.database.begin(space_of(step.ref)) as connection:
            applied = apply(connection)
            report = ledger.StepReport(
                detail=applied.detail,
                seconds=round(time.perf_counter() - begun, 6),
                queries=tally.count + 1,  # the one that stores this report
                query_seconds=round(tally.seconds, 6),
                entities=applied.entities,
                events=applied.events,
                last=step.ref.lane is Lane.MAIN and step.ref.stage in LAST_STAGES,
                next_due_at=self.clock() + applied.delay if applied.delay else None,
            )
            if not ledger.complete(connection, step, report, self.clock()):
                raise _FencedOutError
        log.info(
            "stage_finished",
            stage=step.ref.stage.value,
            lane=step.ref.lane.value,
            ms=round(report.seconds * 1000),
            queries=report.queries,
        )
        return Ended(outcome=Outcome.DONE, routed=applied.routed)

    def _postpone(self, step: ClaimedStep, error: TransientError) -> Outcome:
        now = self.clock()
        due_at = now + timedelta(seconds=_wait(step.attempts, error.retry_after))
        if due_at > step.run.deadline_at:
            return self._fail(step, DeadlineExceededError(f"No try succeeded within JOB_TIMEOUT_MS; the last: {error}"))
        with self.database.begin() as connection:
            ledger.postpone(connection, step.ref, due_at, error)
        log.warning("step_postponed", stage=step.ref.stage.value, error=type(error).__name__, attempt=step.attempts)
        return Outcome.POSTPONED

    def _fail(self, step: ClaimedStep, error: PermanentError) -> Outcome:
        code = getattr(error, "code", None) or type(error).__name__
        now = self.clock()
        with self.database.begin() as connection:
            again_at = None if isinstance(error, TenantUnreachableError) else now + AGAIN_AFTER
            if not ledger.fail(connection, step.ref, str(code), str(error), now, again_at=again_at):
                return Outcome.NOTHING
            if step.ref.lane is not Lane.CANDIDATE:
                self.on_failure(connection, step, error, now)
        log.error("step_failed", stage=step.ref.stage.value, lane=step.ref.lane.value, error=str(code))
        return Outcome.FAILED

    @contextmanager
    def _heartbeat(self, ref: StepRef) -> Iterator[None]:
        """Tells the ledger every few seconds that this worker lives, until the block ends."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.heartbeat_every.total_seconds()):
                try:
                    with self.database.begin() as connection:
                        ledger.heartbeat(connection, ref, self.clock())
                except PipelineError:
                    log.warning("heartbeat_missed", stage=ref.stage.value)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()


def space_of(ref: StepRef) -> str:
    """Where the step's branch reads and writes: a candidate in its own space, everything else live."""
    return shadow_name(ref.run_id) if ref.lane is Lane.CANDIDATE else LIVE


def _wait(attempts: int, retry_after: float | None) -> float:
    """Seconds until the next try: what the other side asked for, else exponential with full jitter."""
    if retry_after is not None:
        return retry_after
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(attempts, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, hides nothing


def _unexpected(error: Exception) -> PermanentError:
    return PermanentError(
        f"The step ended on an unexpected {type(error).__name__}; the log line step_crashed of this trace has it."
    )
