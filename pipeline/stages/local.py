"""A whole run in this process, without a broker: the same steps, the same ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope
from pipeline.errors import UserError
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.stages.execution import Executor, Outcome
from pipeline.storage.database import Database
from pipeline.storage.schedules import request_sync, scheduled_types
from pipeline.storage.tables import run_steps, runs

Watch = Callable[[UUID], None]
"""Is told the run when it is opened, and whenever steps of it were tried."""


def _unwatched(_: UUID) -> None:
    """For whoever looks at the end only."""


def sync_here(
    database: Database,
    executor: Executor,
    scope: Scope,
    *,
    sync_types: Sequence[SyncType] = (),
    compare: bool = False,
    max_jobs: int = 5,
    watch: Watch = _unwatched,
) -> UUID:
    """The id of the finished run, of everything the source is read for unless ``sync_types`` says less.

    Raises ``UserError`` when the source has a run under way elsewhere.
    """
    now = executor.clock()
    with database.begin() as connection:
        wanted = sync_types or scheduled_types(connection, scope)
        request_sync(connection, scope, wanted, now, compare=compare)
    opened = open_due_runs(database, now, max_jobs=max_jobs, only=[scope.source_id])
    if not opened:
        raise UserError("A run of this tenant is under way already; `mspbyte runs list` shows it.")
    watch(opened[0].run_id)
    finish_here(database, executor, opened[0].run_id, watch=watch)
    return opened[0].run_id


def finish_here(database: Database, executor: Executor, run_id: UUID, *, watch: Watch = _unwatched) -> None:
    """Does the steps of a run one after the other until it has ended, waiting for those that are due later."""
    pause = threading.Event()
    while refs := next_refs(database, run_id):
        outcomes = [executor.run(ref).outcome for ref in refs]
        watch(run_id)
        if Outcome.DONE in outcomes:
            continue
        waiting = _soonest(database, run_id, executor.clock())
        if waiting > 0:
            pause.wait(min(waiting, 1.0))


def _soonest(database: Database, run_id: UUID, now: datetime) -> float:
    """Seconds until a step of the run may begin; 0 when one may now."""
    with database.begin() as connection:
        rows = connection.execute(
            select(run_steps.c.due_at)
            .join(runs, runs.c.id == run_steps.c.run_id)
            .where(
                run_steps.c.run_id == run_id,
                runs.c.state == "running",
                run_steps.c.state.in_(["dispatched", "waiting", "running"]),
            )
        ).scalars()
        return min((max(0.0, (due - now).total_seconds()) if due else 0.0 for due in rows), default=0.0)
