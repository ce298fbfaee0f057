"""What ``sync`` and ``compare`` have in common: a run is asked for, here or of the workers, and waited for or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import typer

from pipeline.cli.connections.broker import broker_variable, ring_dispatcher
from pipeline.cli.connections.database import opened_database
from pipeline.cli.connections.environment import process_settings
from pipeline.cli.pages.moments import current_time
from pipeline.cli.pages.streams import complain
from pipeline.cli.syncing.following import follow
from pipeline.cli.syncing.requests import Requested, find_sources, request
from pipeline.cli.syncing.running_here import opened_wiring, run_here
from pipeline.domain.capture import SyncType
from pipeline.domain.runs import RunState
from pipeline.errors import ServerUnavailableError
from pipeline.settings import Settings
from pipeline.storage.reports.runs import RunSummary

FAILED = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What to ask for, and how. ``longest`` is in seconds."""

    tenant: str
    sync_types: Sequence[SyncType]
    compare: bool
    wait: bool
    longest: float
    local: bool


def ask(asked: Asked) -> list[RunSummary] | None:
    """The runs as they ended, one per source, or ``None`` when they are left to the workers."""
    if asked.local:
        with opened_wiring() as parts:
            return run_here(parts, asked.tenant, asked.sync_types, compare=asked.compare)
    settings = _settings_with_broker()
    with opened_database() as database:
        now = current_time()
        requests = [
            request(database, wanted, now, compare=asked.compare)
            for wanted in find_sources(database, asked.tenant, asked.sync_types)
        ]
        _ring(settings)
        if not asked.wait:
            return None
        return [_ended(follow(database, one, longest=asked.longest), one) for one in requests]


def require_success(runs: Sequence[RunSummary], *, explained: bool) -> None:
    """Ends the command with status 1 when a run failed; says so on standard error, and why unless it is explained."""
    failed = [run for run in runs if run.state is RunState.FAILED]
    for run in failed:
        reason = "" if explained else f": {run.error_message}"
        complain(f"Run {run.id} of {run.tenant} failed at {run.stage or 'its end'}{reason or '.'}")
    if failed:
        raise typer.Exit(FAILED)


def _settings_with_broker() -> Settings:
    """Raises ``SettingError`` when no variable names a broker: the request would wait where nobody looks."""
    settings = process_settings()
    if not settings.celery_broker_url:
        settings.require("redis_url")
    return settings


def _ring(settings: Settings) -> None:
    """Raises ``ServerUnavailableError`` when nobody hears it."""
    if ring_dispatcher(settings):
        return
    variable = broker_variable(settings)
    raise ServerUnavailableError(
        f"No broker takes messages at {variable}. Start it or correct {variable}; the request is stored and runs once "
        "there is a broker, and --local needs none."
    )


def _ended(run: RunSummary | None, requested: Requested) -> RunSummary:
    if run is None:
        complain(
            f"The run of {requested.source.tenant} has not ended in time; it goes on. "
            "`mspbyte runs list` shows it, `mspbyte doctor` what may be missing."
        )
        raise typer.Exit(FAILED)
    return run
