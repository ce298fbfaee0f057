"""A run from schedule to alert: its branch, its stages and the states they go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pipeline.domain.capture import LastReading, Resource, SyncType
from pipeline.domain.rule_settings import FIRST_TIME, RuleState


class Branch(StrEnum):
    LEGACY = "legacy"
    NEW = "new"
    COMPARISON = "comparison"
    """Both, on one capture; the branch that owns the tenant is the control."""


class Lane(StrEnum):
    """Which strand of a run a step belongs to. Only a comparison has more than one."""

    MAIN = "main"
    CONTROL = "control"
    CANDIDATE = "candidate"


class Stage(StrEnum):
    """The steps of a run, in order."""

    ROUTE = "route"
    CAPTURE = "capture"
    LOAD = "load"
    LINK = "link"
    ANALYZE = "analyze"
    ALERT = "alert"
    COMPARE = "compare"

    @property
    def position(self) -> int:
        return _POSITIONS[self]


_POSITIONS = {stage: position for position, stage in enumerate(Stage)}

BRANCH_STAGES = (Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT)
"""The stages a branch owns; the ones before and after belong to the run."""


class RunState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def sentence(self) -> str:
        return _RUN_SENTENCES[self]


_RUN_SENTENCES = {
    RunState.RUNNING: "The run has steps left to do.",
    RunState.SUCCEEDED: "Every step of the run is done.",
    RunState.FAILED: "The run ended early with a reason; its alerts are as they were.",
}


class StepState(StrEnum):
    PENDING = "pending"
    DISPATCHED = "dispatched"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def sentence(self) -> str:
        return _STEP_SENTENCES[self]

    @property
    def ended(self) -> bool:
        return self in ENDED_STEPS


_STEP_SENTENCES = {
    StepState.PENDING: "Its turn has not come.",
    StepState.DISPATCHED: "A message asks a worker to do it.",
    StepState.WAITING: "It is to be tried, or begun, at its due time.",
    StepState.RUNNING: "A worker has claimed it and gives heartbeats.",
    StepState.DONE: "Its effect is committed.",
    StepState.FAILED: "It ended with an error that another try would not mend.",
    StepState.SKIPPED: "A step before it failed.",
}
ENDED_STEPS = frozenset({StepState.DONE, StepState.FAILED, StepState.SKIPPED})


class Trigger(StrEnum):
    SCHEDULE = "schedule"
    MANUAL = "manual"
    WEBHOOK = "webhook"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Whose data a query touches. Every query over tenant data asks for one."""

    tenant_id: int
    source_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The run that a change comes from, and whose data it is."""

    scope: Scope
    run_id: UUID
    trace_id: str

    def names(self) -> dict[str, str | int]:
        """The ids an event carries."""
        return {
            "run": str(self.run_id),
            "trace": self.trace_id,
            "tenant": self.scope.tenant_id,
            "source": self.scope.source_id,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSource:
    """A tenant's connection to a provider. ``credentials`` is sealed; only the composition root opens it."""

    scope: Scope
    tenant: str
    provider: str
    external_tenant_id: str
    client_id: str
    credentials: bytes = field(repr=False)
    refused_since: datetime | None = None
    """When the tenant began to refuse us, if it did the last time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRef:
    """The name of one step and the fencing token its holder was given; what a task message carries."""

    run_id: UUID
    lane: Lane
    stage: Stage
    fence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Which implementation does each stage of a branch."""

    linker: str
    """``batch``, ``n_plus_one``, or ``legacy``: the latter, and the ``Admin`` tag as the former system set it."""
    analyzer: str
    """``unified``, ``separate`` (the new rules, one analyzer at a time) or ``legacy``."""
    alerts: str
    """``reconcile`` or ``legacy``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What a stage needs to know of its run."""

    id: UUID
    source: DataSource
    trace_id: str
    trigger: Trigger
    sync_types: tuple[SyncType, ...]
    compare: bool
    """Somebody asked for a comparison, whatever the flags say."""
    branch: Branch | None
    parts: Mapping[Lane, Parts]
    created_at: datetime
    deadline_at: datetime
    """When the step that is being done must have ended, retries included."""
    entity_counts: Mapping[str, int] = field(default_factory=dict)
    """Entities by type, once they are loaded."""

    @property
    def scope(self) -> Scope:
        return self.source.scope

    @property
    def origin(self) -> Origin:
        return Origin(scope=self.scope, run_id=self.id, trace_id=self.trace_id)

    def names(self) -> dict[str, str | int]:
        """The ids an event of this run carries."""
        return self.origin.names()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedStep:
    """A step this process may now do, with its run."""

    ref: StepRef
    run: Run
    attempts: int
    """How often it was begun, this time included."""
    losses: int
    """How often its worker died, or its message came twice."""
    handed: Mapping[str, object] = field(default_factory=dict)
    """What the step before it in its lane left in the ledger."""
    last_readings: Mapping[Resource, LastReading] = field(default_factory=dict)
    """How the source was read before; known to a load only."""
    rules: RuleState = FIRST_TIME
    """What the tenant has set about the rules, and how far they got; known to an analysis only."""
