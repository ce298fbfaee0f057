"""The pipeline's Celery application with one task more, which no worker of the pipeline knows."""

from __future__ import annotations

from benchmarks import reports
from tasks.app import app

__all__ = ["app", "report_start"]


@app.task(name="benchmarks.report_start", queue=reports.QUEUE)  # type: ignore[untyped-decorator] # Celery ships no types
def report_start(key: str, asked_at: float) -> None:
    reports.report_start(key, asked_at)
