"""The PSA graph out of the database, and the links people set: a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, text

from pipeline.domain.psa import Company, Site
from pipeline.domain.psa_graph import LinkableTenant, PsaGraph
from pipeline.domain.runs import DataSource, Scope
from pipeline.storage.inputs import load_inputs

OWN = text("""
SELECT entity_type, external_id, normalized::text AS document FROM entities
 WHERE source_id = :source_id AND entity_type IN ('companies', 'sites') AND deleted_at IS NULL
""")
# The one read across tenants: a PSA is about all of them. The live tables are named, since a candidate's space holds
# the rows of its own source only, and both branches must see the same tenants.
TENANTS = text("""
SELECT t.id, t.name, d.external_tenant_id, e.external_id AS organization_id,
       coalesce(e.normalized -> 'verified_domains', '[]')::text AS domains
  FROM public.tenants t
  JOIN public.data_sources d ON d.tenant_id = t.id AND d.provider = 'microsoft365' AND d.enabled
  LEFT JOIN public.entities e ON e.source_id = d.id AND e.entity_type = 'organization' AND e.deleted_at IS NULL
 ORDER BY t.id, d.id
""")
MANUAL = text("SELECT tenant_id, company_id FROM company_links WHERE source_id = :source_id")


def load_psa_graph(connection: Connection, source: DataSource) -> PsaGraph:
    """The graph as it stands: the source's companies and sites, the installation's tenants, the links set by hand."""
    values = {"source_id": source.scope.source_id}
    companies: dict[str, Company] = {}
    sites: dict[str, Site] = {}
    for row in connection.execute(OWN, values):
        if row.entity_type == "companies":
            companies[row.external_id] = msgspec.json.decode(row.document, type=Company)
        else:
            sites[row.external_id] = msgspec.json.decode(row.document, type=Site)
    return PsaGraph(
        companies=companies,
        sites=sites,
        tenants=load_linkable_tenants(connection),
        manual={row.tenant_id: row.company_id for row in connection.execute(MANUAL, values)},
        inputs=load_inputs(connection, source.scope),
    )


def load_linkable_tenants(connection: Connection) -> Mapping[int, LinkableTenant]:
    """Every tenant with an enabled Microsoft 365 source: one statement.

    Its ids are those its sources were added with and those its organization has been read with: a source may have
    been added by a domain.
    """
    found: dict[int, LinkableTenant] = {}
    for row in connection.execute(TENANTS):
        before = found.get(row.id, LinkableTenant(id=row.id, name=row.name))
        ids = {text.lower() for text in (row.external_tenant_id, row.organization_id) if text}
        domains = {domain.lower() for domain in msgspec.json.decode(row.domains, type=list[str])}
        found[row.id] = replace(
            before,
            microsoft_tenant_ids=before.microsoft_tenant_ids | ids,
            verified_domains=before.verified_domains | domains,
        )
    return found


LINK = text("""
INSERT INTO company_links (source_id, tenant_id, company_id)
SELECT d.id, :linked, :company_id FROM data_sources d WHERE d.id = :source_id AND d.tenant_id = :tenant_id
ON CONFLICT (source_id, tenant_id) DO UPDATE SET company_id = excluded.company_id
""")
UNLINK = text("""
DELETE FROM company_links l USING data_sources d
 WHERE d.id = l.source_id AND d.id = :source_id AND d.tenant_id = :tenant_id AND l.tenant_id = :linked
""")


def link_company(connection: Connection, scope: Scope, company_id: str, tenant_id: int) -> None:
    """Links the tenant to the PSA's company by hand, in place of a link it had; the company keeps its other tenants."""
    connection.execute(LINK, {**_scoped(scope), "company_id": company_id, "linked": tenant_id})


def unlink_tenant(connection: Connection, scope: Scope, tenant_id: int) -> bool:
    """Takes away the link that was set by hand; whether there was one."""
    return bool(connection.execute(UNLINK, {**_scoped(scope), "linked": tenant_id}).rowcount)


def _scoped(scope: Scope) -> dict[str, int]:
    return {"source_id": scope.source_id, "tenant_id": scope.tenant_id}
