"""Stores the relationships of a capture."""

from __future__ import annotations

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step


@app.task(name="tasks.link.link_entities")
def link_entities(run_id: str, lane: str, fence: int) -> str:
    do_step(run_id, lane, Stage.LINK, fence)
    return run_id
