"""The one base task: what every task has in common stands here, and nowhere else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery import Task

from pipeline.domain.runs import Lane, Stage, StepRef
from pipeline.stages.execution import Ended
from tasks.process import wiring


class StepTask(Task):
    """Binds the run's ids to every log line of the task, and shows Flower what it is about."""

    abstract = True
    default_retry_delay = 1
    """Seconds until Celery delivers the task of a killed process again."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Celery's own signature
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(task=self.name)
        if args:
            structlog.contextvars.bind_contextvars(run=args[0])
        try:
            return super().__call__(*args, **kwargs)
        finally:
            structlog.contextvars.clear_contextvars()


def do_step(run_id: str, lane: str, stage: Stage, fence: int) -> Ended:
    """Does one step of a run in this process; the arguments are what a message carries."""
    ref = StepRef(run_id=UUID(run_id), lane=Lane(lane), stage=stage, fence=fence)
    return wiring().executor.run(ref)
