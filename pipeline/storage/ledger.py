"""The run ledger: which steps a run has, who may do them, which are done.

The broker is a doorbell; this is the truth. A step is done when the transaction that holds its effect has also set
it done, and ``complete`` does that conditionally: of two workers on one step one finds it done, or finds a newer
fence, and rolls its effect back. A redispatch raises the fence, so a worker that comes back late cannot complete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Connection, RowMapping, text
from sqlalchemy.dialects.postgresql import insert

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import (
    Branch,
    ClaimedStep,
    DataSource,
    Lane,
    Parts,
    Run,
    RunState,
    Scope,
    Stage,
    StepRef,
    StepState,
    Trigger,
)
from pipeline.errors import PipelineError
from pipeline.events import Event, JsonValue
from pipeline.storage.bulk import json_rows
from pipeline.storage.tables import run_steps, runs

MAX_LOSSES = 10
"""Workers one step may lose before something is wrong with it rather than around it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStep:
    """A step as routed: on which queue it is to be asked for."""

    lane: Lane
    stage: Stage
    queue: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch:
    """Steps of one lane to ask for, in order, under one fence."""

    run_id: UUID
    lane: Lane
    fence: int
    steps: tuple[tuple[Stage, str], ...]
    """(stage, queue)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """A run about to be opened. ``key`` names its source and window, and is used once."""

    id: UUID
    scope: Scope
    key: str
    trace_id: str
    trigger: Trigger
    sync_types: tuple[SyncType, ...]
    compare: bool
    created_at: datetime


def open_run(connection: Connection, run: NewRun, first: PlannedStep) -> bool:
    """True when the run was opened with its first step; False when its source has one running or its key was used."""
    opened = connection.execute(
        insert(runs)
        .values(
            id=run.id,
            tenant_id=run.scope.tenant_id,
            source_id=run.scope.source_id,
            trace_id=run.trace_id,
            trigger=run.trigger.value,
            run_key=run.key,
            sync_types=[sync_type.value for sync_type in run.sync_types],
            compare=run.compare,
            state=RunState.RUNNING.value,
            created_at=run.created_at,
        )
        .on_conflict_do_nothing()
        .returning(runs.c.id)
    ).first()
    if opened is None:
        return False
    connection.execute(
        insert(run_steps).values(
            run_id=run.id,
            lane=first.lane.value,
            stage=first.stage.value,
            position=first.stage.position,
            queue=first.queue,
            state=StepState.DISPATCHED.value,
            dispatched_at=run.created_at,
        )
    )
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutedRun:
    """What the router stores on a run."""

    branch: Branch
    parts: Mapping[Lane, Parts]
    decision: Mapping[str, JsonValue]
    steps: tuple[PlannedStep, ...]


STORE_ROUTE = text("""
WITH routed AS (
    UPDATE runs SET branch = :branch, parts = CAST(:parts AS jsonb), flag_decision = CAST(:decision AS jsonb),
                    started_at = :now
     WHERE id = :run_id
)
INSERT INTO run_steps (run_id, lane, stage, position, queue, state)
SELECT :run_id, n.lane, n.stage, n.position, n.queue, 'pending'
  FROM unnest(CAST(:lanes AS text[]), CAST(:stages AS text[]), CAST(:positions AS int[]), CAST(:queues AS text[]))
       AS n(lane, stage, position, queue)
""")


def store_route(connection: Connection, run_id: UUID, routed: RoutedRun, now: datetime) -> None:
    """Writes the decision and the steps that follow from it; the run never changes branch again."""
    connection.execute(
        STORE_ROUTE,
        {
            "run_id": run_id,
            "branch": routed.branch.value,
            "parts": msgspec.json.encode(routed.parts).decode(),
            "decision": json.dumps(routed.decision),
            "lanes": [step.lane.value for step in routed.steps],
            "stages": [step.stage.value for step in routed.steps],
            "positions": [step.stage.position for step in routed.steps],
            "queues": [step.queue for step in routed.steps],
            "now": now,
        },
    )


CLAIM = text("""
UPDATE run_steps s
   SET state = 'running', attempts = s.attempts + 1, losses = s.losses + CAST(s.state = 'running' AS int),
       heartbeat_at = :now, started_at = :now,
       deadline_at = coalesce(s.deadline_at, :deadline_at)
  FROM runs r JOIN data_sources d ON d.id = r.source_id JOIN tenants t ON t.id = r.tenant_id
 WHERE s.run_id = :run_id AND s.lane = :lane AND s.stage = :stage AND s.fence = :fence
   AND s.state IN ('pending', 'dispatched', 'waiting', 'running')
   AND (s.due_at IS NULL OR s.due_at <= :now)
   AND r.id = s.run_id AND r.state = 'running'
   AND NOT EXISTS (
       SELECT 1 FROM run_steps p
        WHERE p.run_id = s.run_id AND p.position < s.position
          AND (p.lane = s.lane OR p.lane = 'main' OR s.lane = 'main')
          AND p.state NOT IN ('done', 'failed', 'skipped'))
RETURNING s.attempts, s.losses, r.id, r.tenant_id, r.source_id, r.trace_id, r.trigger, r.sync_types, r.branch, r.parts,
          r.created_at, s.deadline_at, r.compare, r.entity_counts, t.name AS tenant, t.stale_after_days,
          d.provider, d.external_tenant_id, d.client_id, d.credentials,
          (SELECT p.detail FROM run_steps p WHERE p.run_id = s.run_id AND p.lane = s.lane
              AND p.position < s.position ORDER BY p.position DESC LIMIT 1) AS handed
""")


def claim(connection: Connection, ref: StepRef, now: datetime, timeout: timedelta) -> ClaimedStep | None:
    """The step with its run, now held under its fence; ``None`` when there is nothing to do.

    The first claim sets the step's deadline: waiting in a long queue counts against nobody.
    Nothing to do: done already, fenced out, not its turn, not due, or the run has ended.
    """
    row = (
        connection.execute(CLAIM, {**_key(ref), "fence": ref.fence, "now": now, "deadline_at": now + timeout})
        .mappings()
        .first()
    )
    if row is None:
        return None
    return ClaimedStep(
        ref=ref, run=_run(row), attempts=row["attempts"], losses=row["losses"], handed=row["handed"] or {}
    )


def _run(row: RowMapping) -> Run:
    return Run(
        id=row["id"],
        source=DataSource(
            scope=Scope(tenant_id=row["tenant_id"], source_id=row["source_id"]),
            tenant=row["tenant"],
            provider=row["provider"],
            external_tenant_id=row["external_tenant_id"],
            client_id=row["client_id"],
            credentials=bytes(row["credentials"]),
            stale_after_days=row["stale_after_days"],
        ),
        trace_id=row["trace_id"],
        trigger=Trigger(row["trigger"]),
        sync_types=tuple(SyncType(name) for name in row["sync_types"]),
        compare=row["compare"],
        branch=Branch(row["branch"]) if row["branch"] else None,
        parts={Lane(lane): Parts(**parts) for lane, parts in row["parts"].items()},
        created_at=row["created_at"],
        deadline_at=row["deadline_at"],
        entity_counts=row["entity_counts"],
    )


def _key(ref: StepRef) -> dict[str, object]:
    return {"run_id": ref.run_id, "lane": ref.lane.value, "stage": ref.stage.value}


HEARTBEAT = text("""
UPDATE run_steps SET heartbeat_at = :now
 WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence AND state = 'running'
""")


def heartbeat(connection: Connection, ref: StepRef, now: datetime) -> bool:
    """Says the worker still lives; False when it no longer holds the step."""
    return connection.execute(HEARTBEAT, {**_key(ref), "fence": ref.fence, "now": now}).rowcount == 1


LOCK_RUN = text("SELECT 1 FROM runs WHERE id = :run_id FOR UPDATE")

COMPLETE = text("""
WITH told AS (
    UPDATE run_steps
       SET state = 'done', finished_at = :now, error_code = NULL, error_message = NULL,
           detail = CAST(:detail AS jsonb), seconds = :seconds, queries = :queries, query_seconds = :query_seconds
     WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence AND state = 'running'
    RETURNING 1
), next AS (
    UPDATE run_steps s
       SET state = CASE WHEN CAST(:next_due_at AS timestamptz) IS NULL AND s.stage <> 'compare'
                        THEN 'dispatched' ELSE 'waiting' END,
           due_at = coalesce(CAST(:next_due_at AS timestamptz),
                             CASE WHEN s.stage = 'compare' THEN CAST(:now AS timestamptz) END),
           dispatched_at = :now
     WHERE s.run_id = :run_id AND s.state = 'pending' AND s.position > :position AND EXISTS (SELECT 1 FROM told)
       AND NOT EXISTS (
           SELECT 1 FROM run_steps p
            WHERE p.run_id = s.run_id AND p.position < s.position
              AND (p.lane = s.lane OR p.lane = 'main' OR s.lane = 'main')
              AND p.state NOT IN ('done', 'failed', 'skipped')
              AND NOT (p.lane = :lane AND p.stage = :stage))
), sent AS (
    INSERT INTO outbox (id, tenant_id, source_id, subject, payload, created_at)
    SELECT e.id, :tenant_id, :source_id, e.subject, e.payload, :now
      FROM json_to_recordset(CAST(:events AS json)) AS e(id uuid, subject text, payload jsonb)
     WHERE EXISTS (SELECT 1 FROM told)
), ended AS (
    UPDATE runs
       SET entity_counts = entity_counts || CAST(:entities AS jsonb),
           state = CASE WHEN :more THEN state ELSE 'succeeded' END,
           finished_at = CASE WHEN :more THEN NULL ELSE CAST(:now AS timestamptz) END
     WHERE id = :run_id AND state = 'running' AND EXISTS (SELECT 1 FROM told)
)
SELECT count(*) FROM told
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class StepReport:
    """What a finished step leaves behind."""

    detail: Mapping[str, JsonValue]
    seconds: float
    queries: int
    query_seconds: float
    entities: Mapping[str, int]
    """Entities by type, for the run; those of a candidate are not the run's."""
    events: Sequence[Event]
    last: bool
    """The run ends with this step."""
    next_due_at: datetime | None = None
    """Not before this time may the next step begin."""


def complete(connection: Connection, step: ClaimedStep, report: StepReport, now: datetime) -> bool:
    """True when this transaction is the one whose effect counts; False: roll it back, the step is another's.

    Last statement of the transaction that holds the step's effect: sets it done, gives the turn to the next, puts
    the events into the outbox and ends the run after its last step. The lanes of a comparison end at the same time
    as often as not; each then takes the run's row lock first, so that the later one sees the earlier one's end and
    the comparison gets its turn exactly once. The comparison is made due rather than dispatched: where the chord that
    would ask for it is gone, because a lane was continued outside it, the reconciler asks at its next tick.
    """
    if step.ref.lane is not Lane.MAIN:
        connection.execute(LOCK_RUN, {"run_id": step.run.id})
    values = {
        **_key(step.ref),
        "fence": step.ref.fence,
        "position": step.ref.stage.position,
        "tenant_id": step.run.scope.tenant_id,
        "source_id": step.run.scope.source_id,
        "detail": json.dumps(report.detail),
        "entities": json.dumps({} if step.ref.lane is Lane.CANDIDATE else dict(report.entities)),
        "seconds": report.seconds,
        "queries": report.queries,
        "query_seconds": report.query_seconds,
        "next_due_at": report.next_due_at,
        "more": not report.last,
        "events": json_rows(report.events),
        "now": now,
    }
    return bool(connection.execute(COMPLETE, values).scalar_one())


POSTPONE = text("""
UPDATE run_steps SET state = 'waiting', due_at = :due_at, error_code = :code, error_message = :message
 WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence AND state = 'running'
""")


def postpone(connection: Connection, ref: StepRef, due_at: datetime, error: PipelineError) -> None:
    """Another try of the step, not before ``due_at``; the reconciler asks for it then."""
    values = {"due_at": due_at, "code": type(error).__name__, "message": str(error)}
    connection.execute(POSTPONE, {**_key(ref), "fence": ref.fence, **values})


FAIL_STEP = text("""
UPDATE run_steps SET state = 'failed', finished_at = :now, error_code = :code, error_message = :message
 WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence
   AND state NOT IN ('done', 'failed', 'skipped')
RETURNING 1
""")
SKIP_LANE = text("""
UPDATE run_steps SET state = 'skipped', finished_at = :now
 WHERE run_id = :run_id AND (lane = :lane OR :whole_run) AND state NOT IN ('done', 'failed', 'skipped')
""")
TURN_TO_COMPARE = text("""
UPDATE run_steps s SET state = 'waiting', due_at = :now, dispatched_at = :now
 WHERE s.run_id = :run_id AND s.stage = 'compare' AND s.state = 'pending'
   AND NOT EXISTS (SELECT 1 FROM run_steps p WHERE p.run_id = :run_id AND p.position < s.position
                      AND p.state NOT IN ('done', 'failed', 'skipped'))
""")
FAIL_RUN = text("""
UPDATE runs SET state = 'failed', finished_at = :now, error_code = :code, error_message = :message
 WHERE id = :run_id AND state = 'running'
""")


def fail(connection: Connection, ref: StepRef, code: str, message: str, now: datetime) -> bool:
    """Ends the step for good; True when this call did. The run ends with it, unless a candidate failed.

    A failed candidate is a result of the comparison, never harm to the run.
    """
    values = {"run_id": ref.run_id, "now": now, "code": code, "message": message}
    connection.execute(LOCK_RUN, {"run_id": ref.run_id})
    if connection.execute(FAIL_STEP, {**_key(ref), "fence": ref.fence, **values}).first() is None:
        return False
    candidate = ref.lane is Lane.CANDIDATE
    connection.execute(SKIP_LANE, {**values, "lane": ref.lane.value, "whole_run": not candidate})
    if candidate:
        connection.execute(TURN_TO_COMPARE, values)
    else:
        connection.execute(FAIL_RUN, values)
    return True


OVERDUE = text("""
SELECT s.run_id, s.lane, s.stage, s.fence, s.attempts, s.deadline_at
  FROM run_steps s JOIN runs r ON r.id = s.run_id
 WHERE r.state = 'running'
   AND (   (s.state = 'waiting' AND s.due_at <= :now)
        OR (s.state = 'dispatched' AND s.dispatched_at < :now - :lost_after * power(2, least(s.dispatches, 4)))
        OR (s.state = 'running' AND s.heartbeat_at < :now - :lost_after))
 ORDER BY s.dispatched_at
 LIMIT :most
   FOR UPDATE OF s SKIP LOCKED
""")
REDISPATCH = text("""
UPDATE run_steps
   SET fence = fence + 1, dispatches = dispatches + 1, losses = losses + CAST(state = 'running' AS int),
       dispatched_at = :now,
       state = CASE WHEN stage = :stage THEN 'dispatched' ELSE state END,
       due_at = CASE WHEN stage = :stage THEN NULL ELSE due_at END
 WHERE run_id = :run_id AND lane = :lane AND state NOT IN ('done', 'failed', 'skipped')
RETURNING stage, queue, fence, position
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class Overdue:
    """A step nobody is doing though it is its turn."""

    ref: StepRef
    attempts: int
    deadline_at: datetime | None


def overdue(connection: Connection, now: datetime, lost_after: timedelta, most: int = 200) -> list[Overdue]:
    """Steps to ask for again: due, asked for in vain, or without a heartbeat. Locked until the transaction ends.

    Two reconcilers at once share the work. A message that merely queues is asked for again ever more rarely; the
    raised fence makes the older message a no-op.
    """
    rows = connection.execute(OVERDUE, {"now": now, "lost_after": lost_after, "most": most}).mappings()
    return [
        Overdue(
            ref=StepRef(run_id=row["run_id"], lane=Lane(row["lane"]), stage=Stage(row["stage"]), fence=row["fence"]),
            attempts=row["attempts"],
            deadline_at=row["deadline_at"],
        )
        for row in rows
    ]


def redispatch(connection: Connection, ref: StepRef, now: datetime) -> Dispatch | None:
    """The rest of the step's lane under a new fence; publish it after the commit.

    ``None`` when the lane has ended since the step was found overdue, as when the other lane has just failed the run.
    """
    rows = connection.execute(REDISPATCH, {**_key(ref), "now": now}).mappings().all()
    ordered = sorted(rows, key=lambda row: int(row["position"]))
    own = next((row for row in ordered if row["stage"] == ref.stage.value), None)
    if own is None:
        return None
    # Steps of a lane may have been fenced separately; a chain is only as long as the fence they share.
    shared = [row for row in ordered if row["fence"] == own["fence"] and row["position"] >= own["position"]]
    return Dispatch(
        run_id=ref.run_id,
        lane=ref.lane,
        fence=own["fence"],
        steps=tuple((Stage(row["stage"]), row["queue"]) for row in shared),
    )
