"""``mspbyte tenant``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, Yes, noun, quoted
from pipeline.cli.pages.moments import refused_text, shown
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.removing import left_text, require_yes
from pipeline.cli.pages.streams import say, tell
from pipeline.errors import UserError
from pipeline.storage.removal import remove_tenant
from pipeline.storage.reports.tenants import tenant_summaries
from pipeline.storage.tenants import add_tenant, find_tenant

app = noun("The tenants that are looked after.")

LONGEST_NAME = 100


@app.command()
def add(name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the tenant; unique.")]) -> None:
    """Add a tenant. It is synced once it has a data source."""
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UserError(f"A tenant's name is 1 to {LONGEST_NAME} printable characters; choose another name.")
    with opened_database() as database, database.begin() as connection:
        tenant = add_tenant(connection, name.strip())
    say(f"Added {tenant.name}. Connect it with `mspbyte source add {quoted(tenant.name)} …`.")


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List tenants with their open alerts and their last run."""
    with opened_database() as database, database.begin() as connection:
        found = tenant_summaries(connection)
    if as_json:
        print_json(found)
        return
    if not found:
        say("There is no tenant yet; `mspbyte tenant add NAME` adds one.")
        return
    rows = table("tenant", "sources", "open alerts", "last run", "at (UTC)", right=("sources", "open alerts"))
    for one in found:
        rows.add_row(
            plain(one.name),
            str(one.sources),
            str(one.open_alerts),
            one.last_run_state or "never",
            shown(one.last_run_at),
        )
    show(rows)
    for one in found:
        if one.refused_since is not None:
            tell(f"{one.name} is {refused_text(one.name, one.refused_since, one.next_try_at, one.refused_because)}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tenant's name.")], *, yes: Yes = False
) -> None:
    """Remove a tenant with its data sources and all that was read of them: entities, alerts, history, runs.

    Refused while a run of it is under way.
    """
    with opened_database() as database:
        with database.begin() as connection:
            found = find_tenant(connection, name)
        require_yes(f"{found.name} with everything read of it", given=yes)
        with database.begin() as connection:
            left = remove_tenant(connection, found)
    say(f"Removed {found.name}.{left_text(left)}")
