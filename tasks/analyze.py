"""Analyzes a tenant as it stands."""

from __future__ import annotations

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step


@app.task(name="tasks.analyze.analyze_tenant")
def analyze_tenant(run_id: str, lane: str, fence: int) -> str:
    do_step(run_id, lane, Stage.ANALYZE, fence)
    return run_id
