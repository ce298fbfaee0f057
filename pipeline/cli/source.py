"""``mspbyte source``."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from pipeline.cli.credentials import read_secret
from pipeline.cli.moments import current_time, shown
from pipeline.cli.nouns import noun
from pipeline.cli.opening import command_settings, opened_database
from pipeline.cli.options import AsJson, TenantArgument
from pipeline.cli.output import plain, print_json, show, table
from pipeline.cli.streams import say
from pipeline.errors import UserError
from pipeline.storage.credentials import Vault
from pipeline.storage.reports.reach import reach_of
from pipeline.storage.reports.tenants import source_summaries
from pipeline.storage.tenants import NewSource, add_source, find_tenant

app = noun("The connections to the tenants' providers.")

PROVIDERS = ("microsoft365",)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


@app.command()
def add(
    tenant: TenantArgument,
    *,
    provider: Annotated[str, typer.Option(help="Which provider: microsoft365.")] = PROVIDERS[0],
    tenant_id: Annotated[str, typer.Option(help="The tenant's directory id, or one of its domains.")],
    client_id: Annotated[str, typer.Option(help="The application's (client) id.")],
    client_secret_file: Annotated[
        str, typer.Option(metavar="FILE", help="Holds the client secret; - reads standard input.")
    ] = "",
) -> None:
    """Connect a tenant to its provider. Everything it can sync is due at once.

    The client secret comes from --client-secret-file, else from MSPBYTE_CLIENT_SECRET, else it is asked for; it is
    never an argument, which other users of the machine could read. It is stored encrypted with SECRET_KEY.
    """
    if provider not in PROVIDERS:
        raise UserError(f"There is no provider {provider!r}; use {' or '.join(PROVIDERS)}.")
    _require_id(tenant_id, "--tenant-id")
    _require_id(client_id, "--client-id")
    vault = Vault(command_settings().secret_key)
    with opened_database() as database:
        with database.begin() as connection:
            found = find_tenant(connection, tenant)
        sealed = vault.seal(read_secret(client_secret_file))
        source = NewSource(provider=provider, external_tenant_id=tenant_id, client_id=client_id, credentials=sealed)
        with database.begin() as connection:
            scope = add_source(connection, found, source, current_time())
    say(f"Added source {scope.source_id} to {found.name}; it is due now. `mspbyte sync` starts it at once.")


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Argument(metavar="[TENANT]", help="Of this tenant only.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List data sources, never with their credentials."""
    with opened_database() as database, database.begin() as connection:
        found = source_summaries(connection, reach_of(connection, tenant))
    if as_json:
        print_json(found)
        return
    if not found:
        say("There is no data source yet; `mspbyte source add TENANT …` adds one.")
        return
    rows = table("id", "tenant", "tenant id", "next due (UTC)", right=("id",), whole=("next due (UTC)",))
    for one in found:
        due = shown(one.next_due_at) if one.enabled else "disabled"
        rows.add_row(str(one.id), plain(one.tenant), plain(one.external_tenant_id), due)
    show(rows)


def _require_id(value: str, name: str) -> None:
    """The ids become parts of URLs."""
    if not _ID.fullmatch(value):
        raise UserError(f"{name} is {value!r}; use the id as Entra shows it, such as a GUID.")
