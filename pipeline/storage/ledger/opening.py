"""Runs as they begin: opened once per source and window, routed once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Branch, Lane, Parts, RunState, Scope, StepState, Trigger
from pipeline.events import JsonValue
from pipeline.storage.ledger.steps import PlannedStep
from pipeline.storage.tables import run_steps, runs


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
