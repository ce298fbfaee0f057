"""``mspbyte source``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.connections.environment import command_settings
from pipeline.cli.grammar import AsJson, TenantArgument, noun
from pipeline.cli.pages.moments import current_time, shown
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.streams import say
from pipeline.errors import UserError
from pipeline.storage.credentials import Vault
from pipeline.storage.reports.reach import reach_of
from pipeline.storage.reports.tenants import source_summaries
from pipeline.storage.tenants import NewSource, add_source, find_tenant

app = noun("The connections to the tenants' providers.")

PROVIDERS = ("microsoft365",)
VARIABLE = "MSPBYTE_CLIENT_SECRET"
"""Holds the client secret, which never passes through the command line."""
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
        sealed = vault.seal(_read_secret(client_secret_file))
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


def _read_secret(file: str) -> str:
    """The secret from the file (``-`` is standard input), else the environment, else whoever sits there."""
    secret = _from_file(file) if file else os.environ.get(VARIABLE, "") or _asked()
    if not secret.strip():
        raise UserError(f"The client secret is empty; give it with --client-secret-file, {VARIABLE} or when asked.")
    return secret.strip()


def _from_file(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"--client-secret-file names {file}, which cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"--client-secret-file names {file}, which is not text.") from None


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UserError(f"No client secret: give it with --client-secret-file or {VARIABLE}, or run this by hand.")
    return str(typer.prompt("Client secret", hide_input=True, err=True))
