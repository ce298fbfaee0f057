"""``mspbyte compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, Local, TenantArgument, Wait, WaitLimit, noun
from pipeline.cli.pages.comparison import comparison_document, show_comparison
from pipeline.cli.pages.output import print_json
from pipeline.cli.pages.streams import say, tell
from pipeline.cli.syncing.asking import Asked, ask, require_success
from pipeline.domain.capture import SyncType
from pipeline.storage.reports.comparisons import ComparisonPage, comparison_of, latest_comparison
from pipeline.storage.reports.reach import reach_of

app = noun()


@app.command()
def compare(
    tenant: TenantArgument,
    *,
    wait: Wait = False,
    longest: WaitLimit = 900,
    local: Local = False,
    last: Annotated[bool, typer.Option("--last", help="Only show the last comparison; ask for none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run both branches of the pipeline on one capture of a tenant, and show where they differ.

    The branch that owns the tenant is the control; the other one writes to a space of its own. Without --wait or
    --local the comparison is left to the workers and the last stored one is shown.
    """
    asked = Asked(tenant=tenant, sync_types=tuple(SyncType), compare=True, wait=wait, longest=longest, local=local)
    runs = None if last else ask(asked)
    require_success(runs or [], explained=False)
    if not last and runs is None:
        tell(f"Asked for a comparison of {tenant}. `mspbyte compare {tenant} --last` shows it when it is done.")
    with opened_database() as database, database.begin() as connection:
        if runs is None:
            found = latest_comparison(connection, reach_of(connection, tenant))
            pages = [found] if found else []
        else:
            pages = [page for run in runs if (page := comparison_of(connection, run.id))]
    _print(pages, as_json=as_json)


def _print(pages: list[ComparisonPage], *, as_json: bool) -> None:
    if as_json:
        print_json([comparison_document(page) for page in pages])
    elif not pages:
        say("No comparison is stored yet.")
    for page in () if as_json else pages:
        show_comparison(page)
