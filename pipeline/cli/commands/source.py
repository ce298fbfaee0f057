"""``mspbyte source``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from pipeline.cli.connections.credentials import CertificateFile, Given, KeyFile, PassphraseFile, SecretFile
from pipeline.cli.connections.database import opened_database
from pipeline.cli.connections.environment import command_settings
from pipeline.cli.grammar import AsJson, SourceOption, TenantArgument, Yes, noun, quoted
from pipeline.cli.pages.moments import current_time, refused_text, shown
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.removing import left_text, require_yes
from pipeline.cli.pages.streams import say, tell
from pipeline.domain.providers import Provider, known_provider
from pipeline.domain.runs import DataSource
from pipeline.errors import UserError
from pipeline.providers.halopsa.instance import instance
from pipeline.storage.access import replace_credentials
from pipeline.storage.credentials import Vault
from pipeline.storage.removal import remove_source
from pipeline.storage.reports.reach import reach_of
from pipeline.storage.reports.tenants import source_summaries
from pipeline.storage.tenants import NewSource, add_source, find_tenant, sources_of

app = noun("The connections to the tenants' providers.")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")


@app.command()
def add(
    tenant: TenantArgument,
    *,
    provider: Annotated[str, typer.Option(help=f"Which provider: {' or '.join(Provider)}.")] = Provider.MICROSOFT365,
    tenant_id: Annotated[str, typer.Option(help="Microsoft 365: the directory id, or one of the domains.")] = "",
    url: Annotated[str, typer.Option(help="HaloPSA: its address, such as https://psa.contoso.com.")] = "",
    client_id: Annotated[str, typer.Option(help="The application's (client) id.")],
    client_secret_file: SecretFile = "",
    certificate: CertificateFile = "",
    key: KeyFile = "",
    passphrase_file: PassphraseFile = "",
) -> None:
    """Connect a tenant to its provider. Everything it can sync is due at once; `mspbyte sync` tells whether it works.

    The client secret comes from --client-secret-file, else from MSPBYTE_CLIENT_SECRET, else it is asked for; it is
    never an argument, which other users of the machine could read. A certificate in its place is checked first. Either
    is stored encrypted with SECRET_KEY. HaloPSA takes secrets only.
    """
    place = _place(provider, tenant_id, url)
    _require_id(client_id, "--client-id")
    _require_secret_of_psa(provider, certificate)
    vault = Vault(command_settings().secret_key)
    with opened_database() as database:
        with database.begin() as connection:
            found = find_tenant(connection, tenant)
        given = Given(secret=client_secret_file, certificate=certificate, key=key, passphrase=passphrase_file)
        sealed = vault.seal(given.credential())
        source = NewSource(provider=provider, external_tenant_id=place, client_id=client_id, credentials=sealed)
        with database.begin() as connection:
            scope = add_source(connection, found, source, current_time())
    say(f"Added source {scope.source_id} to {found.name}; it is due now. {_how_to_try(found.name)}")


@app.command()
def credentials(
    tenant: TenantArgument,
    *,
    source: SourceOption = None,
    client_id: Annotated[
        str | None, typer.Option(help="The id of the application the new one is of, if another.")
    ] = None,
    client_secret_file: SecretFile = "",
    certificate: CertificateFile = "",
    key: KeyFile = "",
    passphrase_file: PassphraseFile = "",
) -> None:
    """Replace a data source's client secret or certificate, and the application's id with --client-id.

    The new one is given as `mspbyte source add` takes it; either kind may replace the other.
    The provider is not asked here: everything is due at once, and `mspbyte sync` tells whether it works.
    """
    if client_id is not None:
        _require_id(client_id, "--client-id")
    vault = Vault(command_settings().secret_key)
    with opened_database() as database:
        with database.begin() as connection:
            chosen = _chosen(sources_of(connection, find_tenant(connection, tenant)), source)
        _require_secret_of_psa(chosen.provider, certificate)
        given = Given(secret=client_secret_file, certificate=certificate, key=key, passphrase=passphrase_file)
        sealed = vault.seal(given.credential())
        with database.begin() as connection:
            replace_credentials(connection, chosen.scope, sealed, current_time(), client_id=client_id)
    say(
        f"Replaced the credentials of source {chosen.scope.source_id} of {tenant}; it is due now. {_how_to_try(tenant)}"
    )


@app.command()
def remove(tenant: TenantArgument, *, source: SourceOption = None, yes: Yes = False) -> None:
    """Remove a data source with all that was read of it: entities, alerts, history, runs.

    Refused while a run of it is under way.
    """
    with opened_database() as database:
        with database.begin() as connection:
            chosen = _chosen(sources_of(connection, find_tenant(connection, tenant)), source)
        name = f"source {chosen.scope.source_id} ({chosen.external_tenant_id}) of {tenant}"
        require_yes(f"{name} with everything read of it", given=yes)
        with database.begin() as connection:
            left = remove_source(connection, chosen.scope)
    say(f"Removed {name}.{left_text(left)}")


def _how_to_try(tenant: str) -> str:
    return f"`mspbyte sync {quoted(tenant)} --wait` tells whether it works."


def _chosen(sources: Sequence[DataSource], wanted: int | None) -> DataSource:
    """The source of that id, or the only one."""
    ids = {one.scope.source_id: one for one in sources}
    known = ", ".join(str(number) for number in sorted(ids))
    if wanted is None and len(ids) > 1:
        raise UserError(f"{sources[0].tenant} has several data sources; name one of {known} with --source.")
    if wanted is not None and wanted not in ids:
        raise UserError(f"{sources[0].tenant} has no data source {wanted}; use {known}.")
    return ids[wanted] if wanted is not None else sources[0]


def _require_secret_of_psa(provider: str, certificate: str) -> None:
    if certificate and provider == Provider.HALOPSA:
        raise UserError("HaloPSA takes no certificate; give a client secret.")


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
    rows = table("id", "tenant", "provider", "tenant id", "next due (UTC)", right=("id",), whole=("next due (UTC)",))
    for one in found:
        due = shown(one.next_due_at) if one.enabled else "disabled"
        rows.add_row(str(one.id), plain(one.tenant), plain(one.provider), plain(one.external_tenant_id), due)
    show(rows)
    for one in found:
        if one.refused_since is not None:
            refused = refused_text(one.tenant, one.refused_since, one.next_due_at, one.refused_because)
            tell(f"Source {one.id} of {one.tenant} is {refused}")


def _place(provider: str, tenant_id: str, url: str) -> str:
    """What the provider knows the source by, as stored: a directory id or domain, or a HaloPSA's address."""
    match known_provider(provider):
        case Provider.MICROSOFT365:
            if url:
                raise UserError("A Microsoft 365 tenant is named by --tenant-id; --url is for HaloPSA.")
            if not tenant_id:
                raise UserError("A Microsoft 365 source needs --tenant-id: the directory id, or one of the domains.")
            _require_id(tenant_id, "--tenant-id")
            return tenant_id
        case Provider.HALOPSA:
            if tenant_id or not url:
                raise UserError("A HaloPSA is named by its address: give --url, and no --tenant-id.")
            return instance(url).address
        case None:
            raise UserError(f"There is no provider {provider!r}; use {' or '.join(Provider)}.")


def _require_id(value: str, name: str) -> None:
    """The ids become parts of URLs."""
    if not _ID.fullmatch(value):
        raise UserError(f"{name} is {value!r}; use the id as Entra shows it, such as a GUID.")
