"""Route: the flags are evaluated once, and the run's steps follow from the decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from pipeline.domain.flags import FlagDecision, FlagSnapshot
from pipeline.domain.runs import BRANCH_STAGES, Branch, ClaimedStep, DataSource, Lane, Stage
from pipeline.events import JsonValue
from pipeline.flags.evaluate import decide
from pipeline.flags.routing import Route, route
from pipeline.stages.execution import Applied, Apply
from pipeline.storage.ledger import PlannedStep, RoutedRun, store_route

SHARED_QUEUES = {Stage.ALERT: "alerts", Stage.COMPARE: "compare"}


def queue_of(stage: Stage, branch: Branch) -> str:
    """The queue a stage of a branch is asked for on."""
    if stage in SHARED_QUEUES:
        return SHARED_QUEUES[stage]
    if stage is Stage.ROUTE:
        return "router"
    return f"{'analyze' if stage is Stage.ANALYZE else 'sync'}.{branch.value}"


def plan(chosen: Route) -> tuple[PlannedStep, ...]:
    """The steps after routing: one chain, or for a comparison two between one capture and compare."""
    other = Branch.LEGACY if chosen.owner is Branch.NEW else Branch.NEW
    branches = {Lane.MAIN: chosen.owner, Lane.CONTROL: chosen.owner, Lane.CANDIDATE: other}
    steps = [
        PlannedStep(lane=lane, stage=stage, queue=queue_of(stage, branches[lane]))
        for lane in chosen.parts
        for stage in BRANCH_STAGES
    ]
    if chosen.branch is not Branch.COMPARISON:
        return tuple(steps)
    capture, compare = (
        PlannedStep(lane=Lane.MAIN, stage=stage, queue=queue_of(stage, chosen.owner))
        for stage in (Stage.CAPTURE, Stage.COMPARE)
    )
    return (capture, *steps, compare)


def describe(decision: FlagDecision) -> dict[str, dict[str, bool | str]]:
    """The decision as stored on the run: flag → value and reason."""
    return {flag.value: {"value": found.value, "reason": found.reason.value} for flag, found in decision.items()}


def route_run(step: ClaimedStep, now: datetime, *, snapshot: Callable[[DataSource], FlagSnapshot]) -> Apply:
    """Decides the run's branch and stores it with its reasons; nothing changes it afterwards."""
    decision = decide(snapshot(step.run.source), step.run.scope.tenant_id)
    chosen = route(decision, compare=step.run.compare)

    def apply(connection: Connection) -> Applied:
        routed = RoutedRun(
            branch=chosen.branch,
            parts=chosen.parts,
            decision={name: dict(found) for name, found in describe(decision).items()},
            steps=plan(chosen),
        )
        store_route(connection, step.run.id, routed, now)
        detail: dict[str, JsonValue] = {"branch": chosen.branch.value, "owner": chosen.owner.value}
        return Applied(detail=detail, routed=routed.steps)

    return apply
