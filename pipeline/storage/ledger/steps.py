"""What the ledger speaks in: a step as planned, steps as asked for, a step's name as parameters."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pipeline.domain.runs import Lane, Stage, StepRef


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


def key_of(ref: StepRef) -> dict[str, object]:
    return {"run_id": ref.run_id, "lane": ref.lane.value, "stage": ref.stage.value}
