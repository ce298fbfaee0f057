"""A run in this process, without broker or workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from pipeline.cli.connections.database import explained_schema
from pipeline.cli.connections.environment import command_settings
from pipeline.cli.pages.moments import current_time
from pipeline.cli.syncing.requests import find_sources
from pipeline.domain.capture import SyncType
from pipeline.stages.local import sync_here
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
    """The ended runs of the tenant's sources."""
    ended = []
    for wanted in find_sources(parts.database, tenant, sync_types):
        with Console(stderr=True).status(f"Syncing {tenant} in this process"):
            run_id = sync_here(
                parts.database,
                parts.executor,
                wanted.source.scope,
                sync_types=wanted.sync_types,
                compare=compare,
                max_jobs=parts.settings.max_concurrent_jobs,
            )
        with parts.database.begin() as connection:
            ended.append(read_run(connection, run_id, current_time()))
    return ended
