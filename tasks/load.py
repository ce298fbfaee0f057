"""Reads a tenant, unless that is done, and stores its entities."""

from __future__ import annotations

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step


@app.task(name="tasks.load.load_entities")
def load_entities(run_id: str, lane: str, fence: int) -> str:
    do_step(run_id, lane, Stage.LOAD, fence)
    return run_id
