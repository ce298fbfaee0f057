"""From steps to Celery's canvas: a chain per lane, a chord for a comparison.

Publishing comes after the commit that made the steps due. A publish that fails is no loss: the steps stay due in
the ledger and the reconciler asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from celery import chain, chord
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from pipeline.domain.runs import Lane, Stage
from pipeline.storage.ledger import Dispatch, PlannedStep
from tasks.app import app

log = structlog.get_logger(__name__)

TASKS = {
    Stage.ROUTE: "tasks.router.route_sync",
    Stage.CAPTURE: "tasks.capture.capture_tenant",
    Stage.LOAD: "tasks.load.load_entities",
    Stage.LINK: "tasks.link.link_entities",
    Stage.ANALYZE: "tasks.analyze.analyze_tenant",
    Stage.ALERT: "tasks.alerts.reconcile_alerts",
    Stage.COMPARE: "tasks.compare.compare_branches",
}
UNREACHABLE = (OperationalError, RedisError, RuntimeError)
"""A broker that is away; a result backend that is away, which Celery gives up on with a bare ``RuntimeError``."""

FIRST_FENCE = 1
Signature = Any
"""Celery's; it ships no types."""


def signature(run_id: UUID, lane: Lane, stage: Stage, queue: str, fence: int, **options: object) -> Signature:
    """The message that asks for one step; it takes no result of the step before it."""
    shown = f"('{stage.value} {lane.value}', '{run_id}', fence {fence})"
    return app.signature(
        TASKS[stage],
        args=(str(run_id), lane.value, fence),
        immutable=True,
        queue=queue,
        argsrepr=shown,
        **options,
    )


def publish_route(run_id: UUID, steps: Sequence[PlannedStep]) -> None:
    """Asks for a freshly routed run: one chain, or capture and then a chord of both lanes with the comparison."""
    if not steps:
        return
    main = [step for step in steps if step.lane is Lane.MAIN]
    lanes = [[step for step in steps if step.lane is lane] for lane in (Lane.CONTROL, Lane.CANDIDATE)]
    if not any(lanes):
        _publish(_chain(run_id, main))
        return
    capture, compare = main
    # Members of a chord report back, so that its body knows when all of them are done.
    header = [_chain(run_id, lane, ignore_result=False) for lane in lanes]
    _publish(chain(_one(run_id, capture), chord(header, _one(run_id, compare, ignore_result=False))))


def publish(dispatch: Dispatch) -> None:
    """Asks again, or for the first time, for the steps of one lane."""
    _publish(
        chain(
            signature(dispatch.run_id, dispatch.lane, stage, queue, dispatch.fence) for stage, queue in dispatch.steps
        )
    )


def _chain(run_id: UUID, steps: Sequence[PlannedStep], **options: object) -> Signature:
    return chain(_one(run_id, step, **options) for step in steps)


def _one(run_id: UUID, step: PlannedStep, **options: object) -> Signature:
    return signature(run_id, step.lane, step.stage, step.queue, FIRST_FENCE, **options)


def _publish(canvas: Signature) -> None:
    try:
        canvas.apply_async(retry=False)
    except UNREACHABLE as error:
        log.warning("publish_failed", error=type(error).__name__)
