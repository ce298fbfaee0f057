"""A Celery application with no setting but its broker: what the pipeline's is held against."""

from __future__ import annotations

import os

from celery import Celery

from benchmarks import reports

app = Celery("bare", broker=os.environ.get(reports.BROKER))
app.conf.broker_connection_retry_on_startup = True  # as it is by default, said aloud so that Celery does not warn


@app.task(name="benchmarks.report_start")  # type: ignore[untyped-decorator] # Celery ships no types
def report_start(key: str, asked_at: float) -> None:
    reports.report_start(key, asked_at)
