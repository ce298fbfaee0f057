"""``mspbyte runs``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, Limit, RunArgument, TenantOption, noun
from pipeline.cli.pages.moments import current_time, seconds, shown
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.run import RunPage, read_page, run_document, show_page
from pipeline.cli.pages.streams import say
from pipeline.cli.pages.styles import RUN_STYLES
from pipeline.storage.reports.prefixes import SHORT
from pipeline.storage.reports.reach import reach_of
from pipeline.storage.reports.runs import RunSummary, find_run, list_runs

app = noun("What ran, how it went and why.")

TABLE_LENGTH = 20


@app.command("list")
def list_(*, tenant: TenantOption = None, limit: Limit = None, as_json: AsJson = False) -> None:
    """List runs, newest first."""
    most = limit or (None if as_json else TABLE_LENGTH)
    with opened_database() as database, database.begin() as connection:
        found = list_runs(connection, reach_of(connection, tenant), current_time(), most=most)
    if as_json:
        print_json(found)
    elif not found:
        say("There is no run yet; `mspbyte sync TENANT` starts one.")
    else:
        _show_list(found)


def _show_list(found: list[RunSummary]) -> None:
    numbers = ("took", "queries")
    rows = table("run", "tenant", "branch", "state", "started (UTC)", *numbers, right=numbers, whole=("run", "state"))
    for run in found:
        state = f"{run.state.value} at {run.stage}" if run.stage else run.state.value
        rows.add_row(
            str(run.id)[:SHORT],
            plain(run.tenant),
            run.branch or "not yet",
            plain(state, RUN_STYLES[run.state]),
            shown(run.created_at),
            seconds(run.seconds),
            str(run.queries),
        )
    show(rows)


@app.command("show")
def show_(
    run: RunArgument,
    *,
    trace: Annotated[
        bool, typer.Option("--trace", help="Also the trace id, and what it did to alerts, in order.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one run: its stages, its branch and why it took it, what it read and what it could not tell."""
    with opened_database() as database, database.begin() as connection:
        page: RunPage = read_page(connection, find_run(connection, run, current_time()), trace=trace)
    if as_json:
        print_json(run_document(page))
    else:
        show_page(page)
