"""Retention: what is kept for a time only, and what a dead candidate left behind."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete

from pipeline.domain.runs import RunState
from pipeline.settings import Settings
from pipeline.storage.captures import delete_captures_before
from pipeline.storage.database import Database
from pipeline.storage.outbox import delete_published_before
from pipeline.storage.shadow import drop_shadow, leftover_shadows
from pipeline.storage.tables import runs

log = structlog.get_logger(__name__)

PUBLISHED_EVENTS_KEPT = timedelta(days=7)


def apply_limits(database: Database, settings: Settings, now: datetime) -> None:
    """Deletes captures, runs and published events past their time, and the spaces of candidates that are over."""
    with database.begin() as connection:
        captures = delete_captures_before(connection, now - timedelta(days=settings.capture_retention_days))
        events = delete_published_before(connection, now - PUBLISHED_EVENTS_KEPT)
        too_old = now - timedelta(days=settings.run_retention_days)
        ended = connection.execute(
            delete(runs).where(runs.c.created_at < too_old, runs.c.state != RunState.RUNNING.value)
        ).rowcount
        spaces = leftover_shadows(connection)
    for run_id in spaces:
        with database.begin() as connection:
            drop_shadow(connection, run_id)
    log.info("retention_applied", captures=captures, events=events, runs=ended, spaces=len(spaces))
