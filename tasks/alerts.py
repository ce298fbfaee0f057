"""Brings a tenant's alerts in line with its analysis."""

from __future__ import annotations

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step


@app.task(name="tasks.alerts.reconcile_alerts")
def reconcile_alerts(run_id: str, lane: str, fence: int) -> str:
    do_step(run_id, lane, Stage.ALERT, fence)
    return run_id
