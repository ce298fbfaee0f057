"""Does every company of the PSA have a tenant here, and every tenant a company?

Raises ``psa_company_unlinked``, over the graph of a PSA instead of a tenant's.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.company_links import Links, domains_of, link_companies
from analyzers.rule import Rule
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import (
    AlertType,
    AnalysisResult,
    AnalysisType,
    Finding,
    NotEvaluated,
    RuleCoverage,
    Severity,
    Skip,
)
from pipeline.domain.psa import Company
from pipeline.domain.psa_graph import LinkableTenant, PsaGraph

OF_PSA = frozenset({AnalysisType.PSA})
KIND = AlertType.PSA_COMPANY_UNLINKED
BY_HAND = "by hand with `mspbyte psa link`"


def analyze(graph: PsaGraph) -> AnalysisResult:
    """A finding for every company in use without a tenant, and for every tenant without a company in use.

    Without the whole of the clients and their sites nothing can be told: what is missing may be what links them. A
    tenant whose organization has not been read has no verified domain yet and is linked by id or name only.
    """
    missing = graph.unreadable(Resource.CLIENTS, Resource.SITES)
    if missing is not None:
        skipped = RuleCoverage(alert_type=KIND, skipped=missing, skipped_because=Skip.INPUT)
        untold = NotEvaluated(alert_type=KIND, reason=missing)
        return AnalysisResult(not_evaluated=(untold,), ran=OF_PSA, rules=(skipped,))
    links = link_companies(graph)
    found = (*_unlinked_companies(graph, links), *_unlinked_tenants(graph, links))
    told = RuleCoverage(alert_type=KIND, items=len(graph.companies) + len(graph.tenants), findings=len(found))
    return AnalysisResult(findings=found, ran=OF_PSA, rules=(told,))


def tenant_entity(tenant_id: int) -> str:
    """What a finding about a tenant of the installation calls it; no source's own number looks like it."""
    return f"tenant-{tenant_id}"


def _unlinked_companies(graph: PsaGraph, links: Links) -> Iterator[Finding]:
    linked = links.linked_companies
    unlinked = [one for key, one in sorted(graph.companies.items()) if one.active and key not in linked]
    domains = domains_of(graph, unlinked)
    for company in unlinked:
        tenants = [graph.tenants[tenant].name for tenant in links.contested_by(company.id)]
        yield _company_finding(company, sorted(domains[company.id]), tenants)


def _company_finding(company: Company, domains: list[str], tenants: list[str]) -> Finding:
    named = _named(company)
    if tenants:
        message = (
            f"{named} is not the only company in the PSA that {_listed(tenants)} matches: link the right one {BY_HAND}."
        )
    else:
        message = (
            f"{named} is an active company in the PSA and none of the tenants is known to be its own: add its tenant, "
            f"or link it {BY_HAND}."
        )
    return Finding(
        alert_type=KIND,
        severity=Severity.LOW,
        entity_type=EntityType.COMPANIES,
        external_id=company.id,
        message=message,
        reasons=("ambiguous",) if tenants else ("no_tenant",),
        evidence={
            "domains": domains,
            "microsoft_tenant_ids": list(company.microsoft_tenant_ids),
            "matching_tenants": tenants,
        },
    )


def _unlinked_tenants(graph: PsaGraph, links: Links) -> Iterator[Finding]:
    former = link_companies(graph, active=False).by_tenant
    for key, tenant in sorted(graph.tenants.items()):
        if key in links.by_tenant:
            continue
        claimants = [graph.companies[company] for company in links.contested.get(key, ())]
        left = graph.companies[former[key].company_id] if key in former and not claimants else None
        yield _tenant_finding(tenant, claimants, left)


def _tenant_finding(tenant: LinkableTenant, claimants: list[Company], left: Company | None) -> Finding:
    if claimants:
        reason = "ambiguous"
        told = f"matches several companies in the PSA ({_listed([_named(one) for one in claimants])})"
        advice = "link the right one"
    elif left is not None:
        reason = "company_inactive"
        told = f"belongs to {_named(left)}, which is inactive in the PSA"
        advice = "stop reading the tenant, or link the company that is served now"
    else:
        reason = "no_company"
        told = "is looked after and no company in the PSA is known to be its own"
        advice = "enter the customer in the PSA, or link it"
    return Finding(
        alert_type=KIND,
        severity=Severity.LOW,
        entity_type=EntityType.TENANTS,
        external_id=tenant_entity(tenant.id),
        message=f"The tenant {tenant.name} {told}: {advice} {BY_HAND}.",
        reasons=(reason,),
        evidence={
            "tenant": tenant.name,
            "companies": [one.id for one in (*claimants, *((left,) if left else ()))],
        },
    )


def _named(company: Company) -> str:
    return f"{company.display_name} ({company.id})" if company.display_name else f"Company {company.id}"


def _listed(names: list[str]) -> str:
    return " and ".join(names)


RULE = Rule(
    alert_type=KIND,
    title="A company in the PSA has no tenant here, or a tenant has no company in the PSA.",
    severity="low",
    about=frozenset({EntityType.COMPANIES, EntityType.TENANTS}),
    inputs=(Resource.CLIENTS, Resource.SITES),
    remediation=(
        "Add the missing tenant or enter the missing customer, or link the two by hand with `mspbyte psa link`."
    ),
    source="https://haloacademy.halopsa.com/apidoc/resources/clients",
    since="0.1.0",
)
