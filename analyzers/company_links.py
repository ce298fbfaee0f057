"""Which tenant belongs to which company of a PSA. Shared by the analyzer and the command line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.domain.psa import Company
from pipeline.domain.psa_graph import LinkableTenant, PsaGraph

PUBLIC_MAIL_DOMAINS = frozenset(
    {
        "aol.com",
        "btinternet.com",
        "comcast.net",
        "fastmail.com",
        "free.fr",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.fr",
        "icloud.com",
        "libero.it",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "outlook.de",
        "proton.me",
        "protonmail.com",
        "t-online.de",
        "verizon.net",
        "web.de",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yandex.ru",
        "ymail.com",
        "zoho.com",
    }
)
"""Where anybody has a mailbox, so that a company's domain of that name says nothing."""


class LinkRule(StrEnum):
    """By what a tenant is known to be a company's, the surest first."""

    MANUAL = "manual"
    TENANT_ID = "tenant_id"
    DOMAIN = "domain"
    NAME = "name"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    company_id: str
    tenant_id: int
    rule: LinkRule


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """Every tenant that one company alone claims, and what is claimed by several.

    ``contested`` is tenant id → the ids of the companies that claim it by the same rule, sorted; none of them has it.
    A company may have several tenants, a tenant has one company.
    """

    by_tenant: Mapping[int, Link] = field(default_factory=dict)
    contested: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def linked_companies(self) -> frozenset[str]:
        return frozenset(link.company_id for link in self.by_tenant.values())

    def contested_by(self, company_id: str) -> tuple[int, ...]:
        """The tenants that this company and others claim."""
        return tuple(sorted(tenant for tenant, claims in self.contested.items() if company_id in claims))


Claims = Mapping[int, set[str]]
"""Tenant id → the companies that claim it."""


def link_companies(graph: PsaGraph, *, active: bool = True) -> Links:
    """The links between the graph's tenants and its companies in use, or those out of use. Pure.

    The rules are asked in their order, and each settles the tenants that it says anything of. A company stays in, for
    it may have several tenants; but a tenant that it claims beside others goes to those whom no surer rule of the
    machine's own gave one: who was told apart by an id is not mixed up again by a name. A link by hand settles its
    tenant and nothing else, so that linking a tenant that had no company changes no other tenant's.
    """
    companies = tuple(company for company in graph.companies.values() if company.active is active)
    tenants = dict(graph.tenants)
    by_tenant: dict[int, Link] = {}
    contested: dict[int, tuple[str, ...]] = {}
    for rule, claim in RULES:
        having = {link.company_id for link in by_tenant.values() if link.rule is not LinkRule.MANUAL}
        for tenant_id, claimants in claim(graph, companies, tenants.values()).items():
            del tenants[tenant_id]
            left = sorted(claimants - having or claimants)
            if len(left) > 1:
                contested[tenant_id] = tuple(left)
            else:
                by_tenant[tenant_id] = Link(company_id=left[0], tenant_id=tenant_id, rule=rule)
    return Links(by_tenant=by_tenant, contested=contested)


def domains_of(graph: PsaGraph, companies: Iterable[Company]) -> Mapping[str, frozenset[str]]:
    """Company id → its own domains and those of its sites in use, without the public ones."""
    found = {company.id: set(company.domains) for company in companies}
    for site in graph.sites.values():
        if site.active and site.company_id in found:
            found[site.company_id].update(site.domains)
    return {company: frozenset(domains - PUBLIC_MAIL_DOMAINS) for company, domains in found.items()}


def _by_hand(graph: PsaGraph, companies: Iterable[Company], tenants: Iterable[LinkableTenant]) -> Claims:
    known = {company.id for company in companies}
    wanted = ((tenant.id, graph.manual.get(tenant.id)) for tenant in tenants)
    return _claims((tenant, company) for tenant, company in wanted if company in known)


def _by_tenant_id(_graph: PsaGraph, companies: Iterable[Company], tenants: Iterable[LinkableTenant]) -> Claims:
    return _shared(
        {company.id: frozenset(company.microsoft_tenant_ids) for company in companies},
        {tenant.id: tenant.microsoft_tenant_ids for tenant in tenants},
    )


def _by_domain(graph: PsaGraph, companies: Iterable[Company], tenants: Iterable[LinkableTenant]) -> Claims:
    return _shared(
        domains_of(graph, companies),
        {tenant.id: tenant.verified_domains for tenant in tenants},
    )


def _by_name(_graph: PsaGraph, companies: Iterable[Company], tenants: Iterable[LinkableTenant]) -> Claims:
    return _shared(
        {company.id: _name(company.display_name) for company in companies},
        {tenant.id: _name(tenant.name) for tenant in tenants},
    )


def _name(text: str) -> frozenset[str]:
    trimmed = " ".join(text.casefold().split())
    return frozenset({trimmed}) if trimmed else frozenset()


def _shared(companies: Mapping[str, frozenset[str]], tenants: Mapping[int, frozenset[str]]) -> Claims:
    """Claims by what a company and a tenant have in common."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    for company, marks in companies.items():
        for mark in marks:
            having[mark].add(company)
    return _claims((tenant, company) for tenant, marks in tenants.items() for mark in marks for company in having[mark])


def _claims(pairs: Iterable[tuple[int, str]]) -> Claims:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for tenant, company in pairs:
        found[tenant].add(company)
    return found


Claiming = Callable[[PsaGraph, Iterable[Company], Iterable[LinkableTenant]], Claims]

RULES: tuple[tuple[LinkRule, Claiming], ...] = (
    (LinkRule.MANUAL, _by_hand),
    (LinkRule.TENANT_ID, _by_tenant_id),
    (LinkRule.DOMAIN, _by_domain),
    (LinkRule.NAME, _by_name),
)
