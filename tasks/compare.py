"""Compares what both branches wrote."""

from __future__ import annotations

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step


@app.task(name="tasks.compare.compare_branches")
def compare_branches(run_id: str, lane: str, fence: int) -> str:
    do_step(run_id, lane, Stage.COMPARE, fence)
    return run_id
