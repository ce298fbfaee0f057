"""``mspbyte psa``: which tenant belongs to which company of the PSA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy import Connection

from analyzers.company_links import Links, link_companies
from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, TenantArgument, noun
from pipeline.cli.pages.moments import current_time
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.streams import say
from pipeline.domain.capture import Resource, SyncType
from pipeline.domain.providers import Provider
from pipeline.domain.psa import Company
from pipeline.domain.psa_graph import PsaGraph
from pipeline.domain.runs import DataSource
from pipeline.errors import UserError
from pipeline.storage.psa import link_company, load_psa_graph, unlink_tenant
from pipeline.storage.schedules import request_sync
from pipeline.storage.tenants import find_tenant, list_sources

app = noun("The companies of the PSA and the tenants that are theirs.")

Psa = Annotated[
    str, typer.Option("--psa", metavar="TENANT", help="Whose PSA, where several tenants have one as a data source.")
]
READ_SOON = "The next sync of the PSA, which is asked for, brings the alerts in line."


@dataclass(frozen=True, kw_only=True, slots=True)
class CompanyLine:
    """A company: ``tenants`` are sorted by name; ``rules`` say by what each of them is known to be its own."""

    id: str
    name: str
    active: bool
    tenants: list[str]
    rules: list[str]
    contested: list[str]
    """Tenants that other companies match just as well."""


@app.command()
def companies(*, psa: Psa = "", as_json: AsJson = False) -> None:
    """List the PSA's companies with their tenants, and by what rule they are linked; then tenants without one."""
    with opened(psa) as (connection, source):
        graph = load_psa_graph(connection, source)
    links = link_companies(graph)
    lines = [_line(graph, links, graph.companies[key]) for key in sorted(graph.companies, key=_by_number)]
    if as_json:
        print_json(lines)
        return
    unread = graph.unreadable(Resource.CLIENTS, Resource.SITES)
    if unread is not None:
        say(f"What follows is not the whole: {unread}.")
    rows = table("id", "company", "tenant", "linked by", whole=("id",))
    for line in lines:
        name = line.name if line.active else f"{line.name} (inactive)"
        tenants = ", ".join(line.tenants) or (f"contested: {', '.join(line.contested)}" if line.contested else "")
        rows.add_row(line.id, plain(name), plain(tenants), ", ".join(line.rules))
    for tenant in _without_company(graph, links):
        rows.add_row("", plain("no company" if unread is None else "not known", "dim"), plain(tenant), "")
    show(rows)


@app.command()
def link(
    tenant: TenantArgument,
    company_id: Annotated[str, typer.Argument(metavar="COMPANY-ID", help="As `mspbyte psa companies` shows it.")],
    *,
    psa: Psa = "",
) -> None:
    """Link a tenant to a company by hand, before every other rule. A company may have several tenants."""
    with opened(psa) as (connection, source):
        found = find_tenant(connection, tenant)
        graph = load_psa_graph(connection, source)
        company = _company(graph, company_id)
        if found.id not in graph.tenants:
            raise UserError(f"{found.name} has no enabled Microsoft 365 source, so there is nothing to link it for.")
        link_company(connection, source.scope, company.id, found.id)
        request_sync(connection, source.scope, [SyncType.COMPANIES], current_time())
    say(f"Linked {found.name} to {company.display_name or company.id}. {READ_SOON}")


@app.command()
def unlink(tenant: TenantArgument, *, psa: Psa = "") -> None:
    """Take away the link that was set by hand; the other rules then say whose the tenant is."""
    with opened(psa) as (connection, source):
        found = find_tenant(connection, tenant)
        if not unlink_tenant(connection, source.scope, found.id):
            raise UserError(f"{found.name} is not linked by hand; `mspbyte psa companies` shows the links.")
        request_sync(connection, source.scope, [SyncType.COMPANIES], current_time())
    say(f"{found.name} is not linked by hand any more. {READ_SOON}")


@contextmanager
def opened(owner: str) -> Iterator[tuple[Connection, DataSource]]:
    """A transaction and the PSA that is meant: the owner's, or the only one there is."""
    with opened_database() as database, database.begin() as connection:
        wanted = find_tenant(connection, owner) if owner else None
        found = [one for one in list_sources(connection, wanted) if one.provider == Provider.HALOPSA]
        if not found:
            whose = owner or "TENANT"
            raise UserError(f"There is no PSA yet; `mspbyte source add {whose} --provider halopsa …` adds it.")
        if len(found) > 1:
            owners = ", ".join(sorted({one.tenant for one in found}))
            raise UserError(f"There are several PSAs; name whose with --psa: {owners}.")
        yield connection, found[0]


def _company(graph: PsaGraph, company_id: str) -> Company:
    company = graph.companies.get(company_id)
    if company is None:
        raise UserError(f"The PSA has no company {company_id}, as last read; `mspbyte psa companies` lists them.")
    if not company.active:
        raise UserError(f"{company.display_name or company.id} is inactive in the PSA; activate it there first.")
    return company


def _line(graph: PsaGraph, links: Links, company: Company) -> CompanyLine:
    own = [(graph.tenants[key].name, one) for key, one in links.by_tenant.items() if one.company_id == company.id]
    own.sort(key=lambda pair: pair[0])
    return CompanyLine(
        id=company.id,
        name=company.display_name,
        active=company.active,
        tenants=[name for name, _ in own],
        rules=[one.rule.value for _, one in own],
        contested=[graph.tenants[tenant].name for tenant in links.contested_by(company.id)],
    )


def _without_company(graph: PsaGraph, links: Links) -> list[str]:
    """The names of the tenants that are linked to no company, those that several contest among them."""
    return sorted(tenant.name for key, tenant in graph.tenants.items() if key not in links.by_tenant)


def _by_number(company_id: str) -> tuple[int, str]:
    return (int(company_id) if company_id.isdigit() else 0, company_id)
