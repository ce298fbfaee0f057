"""Everything known of one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, RowMapping, select

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.flags import Flag, Reason
from pipeline.domain.runs import Lane, Parts, Stage, StepState
from pipeline.storage.tables import captures, run_steps, runs

Fact = str | int | float | bool


class Untold(msgspec.Struct, frozen=True):
    """A rule that gave no verdict on so many items, and why."""

    rule: str
    reason: str
    items: int = 1


class FlagChoice(msgspec.Struct, frozen=True):
    value: bool
    reason: Reason


class _Detail(msgspec.Struct):
    """What of a step's detail has a shape of its own; the plain values are facts."""

    not_evaluated: list[Untold] = []
    changes_of: list[Resource] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPage:
    """One step as the ledger has it. ``facts`` are the plain values its stage left."""

    lane: Lane
    stage: Stage
    queue: str
    state: StepState
    sentence: str
    attempts: int
    dispatches: int
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    queries: int | None
    query_seconds: float | None
    facts: Mapping[str, Fact]
    not_evaluated: tuple[Untold, ...]
    changes_of: tuple[Resource, ...]
    """What the step read as its changes only."""
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturePage:
    complete: bool
    pages: int
    raw_bytes: int
    captured_at: datetime
    outcomes: Mapping[Resource, ReadOutcome]

    @property
    def incomplete(self) -> Mapping[Resource, str]:
        """Why each resource that was not read to its end was not."""
        return {resource: outcome.reason for resource, outcome in self.outcomes.items() if not outcome.complete}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDetails:
    """``capture`` is ``None`` before it is taken and after its retention."""

    entity_counts: Mapping[str, int]
    flags: Mapping[Flag, FlagChoice]
    parts: Mapping[Lane, Parts]
    steps: tuple[StepPage, ...]
    capture: CapturePage | None

    @property
    def not_evaluated(self) -> tuple[Untold, ...]:
        """Of all lanes, each rule and reason once."""
        return tuple(dict.fromkeys(item for step in self.steps for item in step.not_evaluated))

    @property
    def changes_of(self) -> tuple[Resource, ...]:
        """What the run read as its changes only; everything else it read whole."""
        return tuple(dict.fromkeys(resource for step in self.steps for resource in step.changes_of))


def read_details(connection: Connection, run_id: UUID) -> RunDetails:
    """The run's decision, steps and capture: three statements."""
    run = connection.execute(
        select(runs.c.entity_counts, runs.c.flag_decision, runs.c.parts).where(runs.c.id == run_id)
    ).one()
    return RunDetails(
        entity_counts=run.entity_counts,
        flags=msgspec.convert(run.flag_decision, dict[Flag, FlagChoice]),
        parts=msgspec.convert(run.parts, dict[Lane, Parts]),
        steps=read_steps(connection, run_id),
        capture=_capture(connection, run_id),
    )


def read_steps(connection: Connection, run_id: UUID) -> tuple[StepPage, ...]:
    """The run's steps in order, a comparison's control before its candidate."""
    lanes = list(Lane)
    rows = connection.execute(select(run_steps).where(run_steps.c.run_id == run_id)).mappings()
    ordered = sorted(rows, key=lambda row: (row["position"], lanes.index(Lane(row["lane"]))))
    return tuple(_step(row, msgspec.convert(row["detail"], _Detail)) for row in ordered)


def _step(row: RowMapping, detail: _Detail) -> StepPage:
    return StepPage(
        lane=Lane(row["lane"]),
        stage=Stage(row["stage"]),
        queue=row["queue"],
        state=StepState(row["state"]),
        sentence=StepState(row["state"]).sentence,
        attempts=row["attempts"],
        dispatches=row["dispatches"],
        due_at=row["due_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        seconds=row["seconds"],
        queries=row["queries"],
        query_seconds=row["query_seconds"],
        facts={name: value for name, value in row["detail"].items() if isinstance(value, Fact)},
        not_evaluated=tuple(detail.not_evaluated),
        changes_of=tuple(detail.changes_of),
        error_code=row["error_code"],
        error_message=row["error_message"],
    )


def _capture(connection: Connection, run_id: UUID) -> CapturePage | None:
    row = connection.execute(select(captures).where(captures.c.run_id == run_id)).first()
    if row is None:
        return None
    return CapturePage(
        complete=row.complete,
        pages=row.pages,
        raw_bytes=row.raw_bytes,
        captured_at=row.captured_at,
        outcomes=msgspec.convert(row.outcomes, dict[Resource, ReadOutcome]),
    )
