"""Reads a tenant once for both branches of a comparison."""

from __future__ import annotations

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step


@app.task(name="tasks.capture.capture_tenant")
def capture_tenant(run_id: str, lane: str, fence: int) -> str:
    do_step(run_id, lane, Stage.CAPTURE, fence)
    return run_id
