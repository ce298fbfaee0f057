"""Runs and steps as the ledger's tests need them: opened, routed and brought to where a test begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import text

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Branch, ClaimedStep, Lane, Scope, Stage, StepRef, Trigger
from pipeline.flags.routing import LEGACY_PARTS, NEW_PARTS, Route
from pipeline.stages.dispatch import FIRST
from pipeline.stages.route import plan
from pipeline.storage import ledger, tenants
from pipeline.storage.database import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LOST_AFTER = timedelta(seconds=20)
JOB_TIMEOUT = timedelta(minutes=10)
PATIENCE = ledger.Patience(lost_after=LOST_AFTER, candidate=JOB_TIMEOUT)

NEW_ROUTE = Route(branch=Branch.NEW, owner=Branch.NEW, parts={Lane.MAIN: NEW_PARTS})
COMPARISON_ROUTE = Route(
    branch=Branch.COMPARISON,
    owner=Branch.LEGACY,
    parts={Lane.CONTROL: LEGACY_PARTS, Lane.CANDIDATE: NEW_PARTS},
)

_T = TypeVar("_T")


def add_source(database: Database, name: str = "acme") -> Scope:
    """A tenant with one source; everything of it is due at ``NOW``."""
    with database.begin() as connection:
        tenant = tenants.add_tenant(connection, name)
        source = tenants.NewSource(provider="microsoft365", external_tenant_id=name, client_id="c", credentials=b"")
        return tenants.add_source(connection, tenant, source, NOW)


def new_run(scope: Scope, key: str | None = None) -> ledger.NewRun:
    return ledger.NewRun(
        id=uuid4(),
        scope=scope,
        key=key or uuid4().hex,
        trace_id="trace",
        trigger=Trigger.SCHEDULE,
        sync_types=tuple(SyncType),
        compare=False,
        created_at=NOW,
    )


def open_run(database: Database, scope: Scope) -> StepRef:
    """The route step of a run just opened."""
    run = new_run(scope)
    with database.begin() as connection:
        assert ledger.open_run(connection, run, FIRST)
    return StepRef(run_id=run.id, lane=Lane.MAIN, stage=Stage.ROUTE, fence=1)


def routed_run(database: Database, scope: Scope, route: Route = NEW_ROUTE) -> UUID:
    """A run whose routing is done; the step after it has its turn."""
    ref = open_run(database, scope)
    routed = ledger.RoutedRun(
        branch=route.branch,
        parts=route.parts,
        decision={},
        steps=plan(route),
    )
    with database.begin() as connection:
        step = ledger.claim(connection, ref, NOW, JOB_TIMEOUT)
        assert step is not None
        ledger.store_route(connection, ref.run_id, routed, NOW)
        assert ledger.complete(connection, step, report(), NOW)
    return ref.run_id


def report(*, last: bool = False, next_due_at: datetime | None = None) -> ledger.StepReport:
    return ledger.StepReport(
        detail={},
        seconds=0.0,
        queries=0,
        query_seconds=0.0,
        entities={},
        events=(),
        last=last,
        next_due_at=next_due_at,
    )


def ref_of(run_id: UUID, stage: Stage, lane: Lane = Lane.MAIN, fence: int = 1) -> StepRef:
    return StepRef(run_id=run_id, lane=lane, stage=stage, fence=fence)


def claim(database: Database, ref: StepRef, now: datetime = NOW) -> ClaimedStep | None:
    with database.begin() as connection:
        return ledger.claim(connection, ref, now, JOB_TIMEOUT)


def claimed(database: Database, ref: StepRef, now: datetime = NOW) -> ClaimedStep:
    step = claim(database, ref, now)
    assert step is not None
    return step


def complete(database: Database, step: ClaimedStep, *, last: bool = False, next_due_at: datetime | None = None) -> bool:
    with database.begin() as connection:
        return ledger.complete(connection, step, report(last=last, next_due_at=next_due_at), NOW)


def do(database: Database, *refs: StepRef) -> None:
    """Claims and completes the steps, one after the other."""
    for ref in refs:
        assert complete(database, claimed(database, ref))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run and its steps are; steps by ``lane/stage``."""

    run: str
    steps: dict[str, str]


def standing(database: Database, run_id: UUID) -> Standing:
    with database.begin() as connection:
        state = connection.execute(text("SELECT state FROM runs WHERE id = :id"), {"id": run_id}).scalar_one()
        rows = connection.execute(
            text("SELECT lane || '/' || stage AS name, state FROM run_steps WHERE run_id = :id"), {"id": run_id}
        )
        return Standing(run=state, steps={row.name: row.state for row in rows})


def together(*functions: Callable[[], _T]) -> Sequence[_T]:
    """What each function returns when threads begin them all at the same moment."""
    barrier = Barrier(len(functions))

    def begin(function: Callable[[], _T]) -> _T:
        barrier.wait(timeout=30)
        return function()

    with ThreadPoolExecutor(len(functions)) as threads:
        return [future.result(timeout=60) for future in [threads.submit(begin, function) for function in functions]]


def wait_until_blocked(database: Database) -> None:
    """Returns once some transaction waits for another one's."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = :event")
    deadline = time.monotonic() + 30
    blocked = 0
    while not blocked and time.monotonic() < deadline:
        with database.begin() as connection:
            blocked = connection.execute(waiting, {"event": "transactionid"}).scalar_one()
    assert blocked, "nobody waits for a lock"
