"""Routes a run: decides its branch, then asks for its steps."""

from __future__ import annotations

from uuid import UUID

from pipeline.domain.runs import Stage
from tasks.app import app
from tasks.base import do_step
from tasks.canvas import publish_route


@app.task(name="tasks.router.route_sync")
def route_sync(run_id: str, lane: str, fence: int) -> str:
    publish_route(UUID(run_id), do_step(run_id, lane, Stage.ROUTE, fence).routed)
    return run_id
