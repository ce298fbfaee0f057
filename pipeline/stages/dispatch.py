"""Dispatch: what is due becomes runs. And redispatch: what was lost is asked for again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import structlog
from sqlalchemy import text

from pipeline import events
from pipeline.domain.runs import Branch, Lane, RunState, Stage, StepRef
from pipeline.errors import DeadlineExceededError
from pipeline.events import JsonValue
from pipeline.stages.execution import AGAIN_AFTER, TOO_LONG
from pipeline.stages.route import queue_of
from pipeline.storage import ledger
from pipeline.storage.database import Database
from pipeline.storage.outbox import add_events
from pipeline.storage.schedules import DueSource, advance, claim_due

log = structlog.get_logger(__name__)

FIRST = ledger.PlannedStep(lane=Lane.MAIN, stage=Stage.ROUTE, queue=queue_of(Stage.ROUTE, Branch.NEW))
BATCH = 200
"""Runs opened per tick; the rest is due a second later."""


def open_due_runs(
    database: Database, now: datetime, *, max_jobs: int, only: Sequence[int] | None = None
) -> list[ledger.Dispatch]:
    """The first message of every run that was opened; publish them after this returns, when all is committed."""
    opened: list[ledger.Dispatch] = []
    taken: list[DueSource] = []
    with database.begin() as connection:
        claimed = claim_due(connection, now, max_jobs=max_jobs, most=BATCH, only=only)
        if not claimed:
            return opened
        for due in claimed:
            run = _run(due, now)
            if not ledger.open_run(connection, run, FIRST):
                continue
            told: dict[str, JsonValue] = {
                "run": str(run.id),
                "trace": run.trace_id,
                "tenant": run.scope.tenant_id,
                "source": run.scope.source_id,
                "trigger": run.trigger.value,
            }
            add_events(connection, due.scope, [events.sync_requested(kind, told) for kind in run.sync_types], now)
            opened.append(ledger.Dispatch(run_id=run.id, lane=Lane.MAIN, fence=1, steps=((FIRST.stage, FIRST.queue),)))
            taken.append(due)
        # A source another dispatcher was quicker with stays due: what was asked for since is not in that run.
        advance(connection, taken, now)
    log.info("runs_opened", runs=len(opened))
    return opened


def _run(due: DueSource, now: datetime) -> ledger.NewRun:
    return ledger.NewRun(
        id=uuid4(),
        scope=due.scope,
        key=f"{due.scope.source_id}:{due.trigger.value}:{due.due_at.isoformat()}",
        trace_id=secrets.token_hex(16),
        trigger=due.trigger,
        sync_types=due.sync_types,
        compare=due.compare,
        created_at=now,
    )


def redispatch_overdue(database: Database, now: datetime, patience: ledger.Patience) -> list[ledger.Dispatch]:
    """The lanes to ask for again; ends the runs with a step past its deadline. Publish after this returns."""
    again: list[ledger.Dispatch] = []
    with database.begin() as connection:
        for found in ledger.overdue(connection, now, patience):
            if found.deadline_at is not None and now > found.deadline_at:
                code = DeadlineExceededError.__name__
                ledger.fail(connection, found.ref, code, TOO_LONG, now, again_at=now + AGAIN_AFTER)
                continue
            dispatch = ledger.redispatch(connection, found.ref, now)
            if dispatch is not None:
                again.append(dispatch)
    if again:
        log.info("steps_redispatched", lanes=len(again))
    return again


def next_refs(database: Database, run_id: object) -> list[StepRef]:
    """The steps of a run whose turn it is, for doing them in this process."""
    with database.begin() as connection:
        rows = connection.execute(
            text(
                "SELECT s.run_id, s.lane, s.stage, s.fence FROM run_steps s JOIN runs r ON r.id = s.run_id"
                " WHERE s.run_id = :run_id AND r.state = :running AND s.state IN ('dispatched', 'waiting', 'running')"
                " ORDER BY s.due_at NULLS FIRST, s.position, s.lane"
            ),
            {"run_id": run_id, "running": RunState.RUNNING.value},
        )
        return [
            StepRef(run_id=row.run_id, lane=Lane(row.lane), stage=Stage(row.stage), fence=row.fence) for row in rows
        ]
