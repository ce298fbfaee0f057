"""``mspbyte sync``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, Local, TenantArgument, Wait, WaitLimit, noun
from pipeline.cli.pages.output import print_json
from pipeline.cli.pages.run import read_page, show_page
from pipeline.cli.pages.streams import say
from pipeline.cli.syncing.asking import Asked, ask, require_success
from pipeline.domain.capture import SyncType
from pipeline.errors import UserError
from pipeline.storage.reports.runs import RunSummary

app = noun()


@app.command()
def sync(
    tenant: TenantArgument,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help=f"Only {', '.join(SyncType)}; may be repeated, or a comma list."),
    ] = None,
    wait: Wait = False,
    longest: WaitLimit = 900,
    local: Local = False,
    as_json: AsJson = False,
) -> None:
    """Sync a tenant now. The workers do it, unless --local does."""
    sync_types = _sync_types(only or [])
    runs = ask(Asked(tenant=tenant, sync_types=sync_types, compare=False, wait=wait, longest=longest, local=local))
    if as_json:
        print_json(runs if runs is not None else {"tenant": tenant, "requested": sync_types})
    elif runs is None:
        say(f"Asked for {', '.join(sync_types)} of {tenant}. `mspbyte runs list` shows the run.")
    else:
        _show(runs)
    require_success(runs or [], explained=not as_json)


def _show(runs: list[RunSummary]) -> None:
    with opened_database() as database, database.begin() as connection:
        for run in runs:
            show_page(read_page(connection, run, trace=False))


def _sync_types(only: list[str]) -> tuple[SyncType, ...]:
    """What was named, in the order of the schedule; all when nothing was."""
    named = {name.strip() for text in only for name in text.split(",") if name.strip()}
    unknown = sorted(named - set(SyncType))
    if unknown:
        raise UserError(f"--only names {', '.join(unknown)}; use {', '.join(SyncType)}.")
    return tuple(kind for kind in SyncType if kind in named or not named)
