"""A run in this process, without broker or workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from pipeline.cli.connections.database import explained_schema
from pipeline.cli.connections.environment import command_settings
from pipeline.cli.pages.moments import current_time
from pipeline.cli.pages.streams import tell
from pipeline.cli.syncing.following import RunDisplay
from pipeline.cli.syncing.requests import find_sources
from pipeline.domain.capture import SyncType
from pipeline.stages.local import sync_here
from pipeline.storage.database import Database
from pipeline.storage.reports.run_details import StepPage, read_steps
from pipeline.storage.reports.runs import RunSummary, read_run
from pipeline.wiring import Wiring, build


@contextmanager
def opened_wiring() -> Iterator[Wiring]:
    """The whole system over this process's settings."""
    parts = build(command_settings())
    try:
        with explained_schema():
            yield parts
    finally:
        parts.close()


def run_here(parts: Wiring, tenant: str, sync_types: Sequence[SyncType], *, compare: bool) -> list[RunSummary]:
    """The ended runs of the tenant's sources; on standard error, how they go."""
    found = find_sources(parts.database, tenant, sync_types)
    tell(f"{'Comparing' if compare else 'Syncing'} {tenant} here …")
    ended = []
    with RunDisplay() as display:
        for wanted in found:
            run_id = sync_here(
                parts.database,
                parts.executor,
                wanted.source.scope,
                sync_types=wanted.sync_types,
                compare=compare,
                max_jobs=parts.settings.max_concurrent_jobs,
                watch=lambda run_id: display.update(*_standing(parts.database, run_id)),
            )
            run, _ = _standing(parts.database, run_id)
            ended.append(run)
    return ended


def _standing(database: Database, run_id: UUID) -> tuple[RunSummary, tuple[StepPage, ...]]:
    """The run and its steps as they are."""
    with database.begin() as connection:
        return read_run(connection, run_id, current_time()), read_steps(connection, run_id)
