"""Which tenant is whose, and what is said of those that are nobody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analyzers.company_links import Link, LinkRule, link_companies
from analyzers.directory.psa import analyze, tenant_entity
from pipeline.domain.capture import COMPLETE, ReadOutcome, Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AnalysisType, Finding, Severity
from pipeline.domain.psa import Company, Site
from pipeline.domain.psa_graph import LinkableTenant, PsaGraph

READ = {Resource.CLIENTS: COMPLETE, Resource.SITES: COMPLETE}


def company(
    key: str, name: str = "", *, ids: tuple[str, ...] = (), domains: tuple[str, ...] = (), active: bool = True
) -> Company:
    return Company(
        id=key, display_name=name or f"Company {key}", microsoft_tenant_ids=ids, domains=domains, active=active
    )


def tenant(number: int, name: str = "", *, guid: str = "", domains: tuple[str, ...] = ()) -> LinkableTenant:
    return LinkableTenant(
        id=number,
        name=name or f"tenant {number}",
        microsoft_tenant_ids=frozenset({guid} if guid else ()),
        verified_domains=frozenset(domains),
    )


def graph(
    *things: Company | LinkableTenant | Site,
    manual: Mapping[int, str] | None = None,
    inputs: Mapping[Resource, ReadOutcome] | None = None,
) -> PsaGraph:
    return PsaGraph(
        companies={one.id: one for one in things if isinstance(one, Company)},
        sites={one.id: one for one in things if isinstance(one, Site)},
        tenants={one.id: one for one in things if isinstance(one, LinkableTenant)},
        manual=manual or {},
        inputs=READ if inputs is None else inputs,
    )


def site(key: str, company_id: str, *domains: str, active: bool = True) -> Site:
    return Site(id=key, company_id=company_id, domains=domains, active=active)


CONTOSO = company("1", "Contoso", ids=("guid-1",), domains=("contoso.com",))
LINKED: dict[str, tuple[PsaGraph, LinkRule]] = {
    "by hand": (graph(company("1"), tenant(1), manual={1: "1"}), LinkRule.MANUAL),
    "by the Microsoft tenant": (graph(CONTOSO, tenant(1, guid="guid-1")), LinkRule.TENANT_ID),
    "by a verified domain": (graph(CONTOSO, tenant(1, domains=("x.com", "contoso.com"))), LinkRule.DOMAIN),
    "by a site's domain": (
        graph(company("1"), site("10", "1", "contoso.com"), tenant(1, domains=("contoso.com",))),
        LinkRule.DOMAIN,
    ),
    "by name": (graph(company("1", " CONTOSO  Ltd "), tenant(1, "Contoso ltd")), LinkRule.NAME),
    "by hand before the id": (graph(CONTOSO, tenant(1), tenant(2, guid="guid-1"), manual={1: "1"}), LinkRule.MANUAL),
    "by the id before another's domain": (
        graph(CONTOSO, company("2", domains=("b.com",)), tenant(1, guid="guid-1", domains=("b.com",))),
        LinkRule.TENANT_ID,
    ),
    "by the domain before another's name": (
        graph(CONTOSO, company("2", "tenant 1"), tenant(1, domains=("contoso.com",))),
        LinkRule.DOMAIN,
    ),
}
UNLINKED = {
    "nothing in common": graph(CONTOSO, tenant(1, domains=("fabrikam.com",))),
    "a public mail domain": graph(company("1", domains=("gmail.com",)), tenant(1, domains=("gmail.com",))),
    "an inactive company": graph(company("1", ids=("guid-1",), active=False), tenant(1, guid="guid-1")),
    "an inactive site": graph(
        company("1"), site("10", "1", "contoso.com", active=False), tenant(1, domains=("contoso.com",))
    ),
    "a part of a domain": graph(company("1", domains=("contoso.com",)), tenant(1, domains=("mail.contoso.com",))),
    "no name at all": graph(Company(id="1"), LinkableTenant(id=1, name="")),
    "a link to a company that is gone": graph(company("1"), tenant(1), manual={1: "2"}),
    "two companies of one id": graph(CONTOSO, company("2", ids=("guid-1",)), tenant(1, guid="guid-1")),
    "two companies of one id, one also of the name": graph(
        CONTOSO, company("2", ids=("guid-1",)), tenant(1, "Contoso", guid="guid-1")
    ),
}


@pytest.mark.parametrize("case", LINKED)
def test_a_tenant_is_linked_to_its_company_by_the_surest_rule(case: str) -> None:
    given_graph, rule = LINKED[case]
    link = link_companies(given_graph).by_tenant[1]
    assert (link.company_id, link.rule) == ("1", rule)


@pytest.mark.parametrize("case", UNLINKED)
def test_what_does_not_say_whose_a_tenant_is_links_nothing(case: str) -> None:
    assert link_companies(UNLINKED[case]).by_tenant == {}


def test_a_company_may_have_several_tenants_told_by_the_same_rule() -> None:
    links = link_companies(
        graph(company("1", ids=("guid-1", "guid-2")), tenant(1, guid="guid-1"), tenant(2, guid="guid-2"))
    )
    assert {key: link.company_id for key, link in links.by_tenant.items()} == {1: "1", 2: "1"}


def test_a_company_may_have_several_tenants_each_told_by_another_rule() -> None:
    links = link_companies(
        graph(
            CONTOSO,
            *(tenant(1), tenant(2, guid="guid-1"), tenant(3, domains=("contoso.com",)), tenant(4, "Contoso")),
            tenant(5),
            manual={1: "1", 5: "1"},
        )
    )
    assert {key: (link.company_id, link.rule) for key, link in links.by_tenant.items()} == {
        1: ("1", LinkRule.MANUAL),
        2: ("1", LinkRule.TENANT_ID),
        3: ("1", LinkRule.DOMAIN),
        4: ("1", LinkRule.NAME),
        5: ("1", LinkRule.MANUAL),
    }


def test_who_has_a_tenant_by_a_surer_rule_leaves_the_next_to_who_has_none() -> None:
    links = link_companies(
        graph(
            CONTOSO,
            company("2", domains=("contoso.com",)),
            *(tenant(1, guid="guid-1"), tenant(2, domains=("contoso.com",))),
        )
    )
    assert {key: link.company_id for key, link in links.by_tenant.items()} == {1: "1", 2: "2"}
    assert links.contested == {}


def test_companies_that_each_have_a_tenant_contest_another_all_the_same() -> None:
    links = link_companies(
        graph(
            CONTOSO,
            company("2", ids=("guid-2",), domains=("contoso.com",)),
            tenant(1, guid="guid-1"),
            tenant(2, guid="guid-2"),
            tenant(3, domains=("contoso.com",)),
        )
    )
    assert links.contested == {3: ("1", "2")}


def test_one_link_by_hand_ends_a_contest() -> None:
    contest = (CONTOSO, company("2", "Contoso B", ids=("guid-1",)), tenant(1, guid="guid-1"))
    assert link_companies(graph(*contest)).contested == {1: ("1", "2")}
    settled = link_companies(graph(*contest, manual={1: "2"}))
    assert settled.contested == {}
    assert settled.by_tenant[1].company_id == "2"


some = st.lists(st.sampled_from("abc"), unique=True, max_size=2).map(tuple)
companies = st.lists(st.builds(lambda ids, domains: (ids, domains), some, some), max_size=4)
tenants = st.lists(st.builds(lambda guid, domains: (guid, domains), st.sampled_from(["", *"abc"]), some), max_size=4)


def psa_of(
    given_companies: list[tuple[tuple[str, ...], tuple[str, ...]]],
    given_tenants: list[tuple[str, tuple[str, ...]]],
    manual: dict[int, str],
) -> PsaGraph:
    return graph(
        *(company(str(key), ids=ids, domains=domains) for key, (ids, domains) in enumerate(given_companies)),
        *(tenant(key, guid=guid, domains=domains) for key, (guid, domains) in enumerate(given_tenants)),
        manual=manual,
    )


@given(companies, tenants, st.dictionaries(st.integers(0, 3), st.sampled_from("0123"), max_size=3))
def test_every_tenant_is_linked_contested_or_free_and_no_company_is_both_linked_and_told_unlinked(
    given_companies: list[tuple[tuple[str, ...], tuple[str, ...]]],
    given_tenants: list[tuple[str, tuple[str, ...]]],
    manual: dict[int, str],
) -> None:
    found = psa_of(given_companies, given_tenants, manual)
    links = link_companies(found)
    by_hand = {key: company for key, company in manual.items() if key in found.tenants and company in found.companies}
    assert {key: links.by_tenant[key].company_id for key in by_hand} == by_hand
    findings = analyze(found).findings
    assert links.by_tenant.keys().isdisjoint(links.contested)
    assert all(len(claims) > 1 for claims in links.contested.values())
    told = {(one.entity_type, one.external_id) for one in findings}
    assert len(told) == len(findings)
    assert {key for key in found.companies if (EntityType.COMPANIES, key) not in told} == links.linked_companies
    assert {
        key for key in found.tenants if (EntityType.TENANTS, tenant_entity(key)) not in told
    } == links.by_tenant.keys()


@given(companies, tenants, st.dictionaries(st.integers(0, 3), st.sampled_from("0123"), max_size=3), st.data())
def test_linking_a_tenant_without_a_company_by_hand_settles_it_and_changes_no_other(
    given_companies: list[tuple[tuple[str, ...], tuple[str, ...]]],
    given_tenants: list[tuple[str, tuple[str, ...]]],
    manual: dict[int, str],
    data: st.DataObject,
) -> None:
    found = psa_of(given_companies, given_tenants, manual)
    before = link_companies(found).by_tenant
    open_tenants = sorted(found.tenants.keys() - before.keys())
    assume(open_tenants and found.companies)
    chosen, owner = data.draw(st.sampled_from(open_tenants)), data.draw(st.sampled_from(sorted(found.companies)))

    after = link_companies(replace(found, manual={**manual, chosen: owner})).by_tenant

    assert after == {**before, chosen: Link(company_id=owner, tenant_id=chosen, rule=LinkRule.MANUAL)}


def reasons(findings: tuple[Finding, ...]) -> dict[str, tuple[str, ...]]:
    return {one.external_id: one.reasons for one in findings}


def test_each_unlinked_side_is_a_finding_with_its_reason() -> None:
    result = analyze(
        graph(
            company("1", "Contoso"),
            company("2", "Left", ids=("guid-2",), active=False),
            company("3", "Twin A", ids=("guid-3",)),
            company("4", "Twin B", ids=("guid-3",)),
            tenant(1, "fabrikam"),
            tenant(2, guid="guid-2"),
            tenant(3, "twin", guid="guid-3"),
        )
    )
    assert reasons(result.findings) == {
        "1": ("no_tenant",),
        "3": ("ambiguous",),
        "4": ("ambiguous",),
        "tenant-1": ("no_company",),
        "tenant-2": ("company_inactive",),
        "tenant-3": ("ambiguous",),
    }
    assert {one.severity for one in result.findings} == {Severity.LOW}
    assert result.completed == {AnalysisType.PSA}
    twins = {one.external_id: one.message for one in result.findings}["tenant-3"]
    assert "Twin A (3) and Twin B (4)" in twins
    assert "mspbyte psa link" in twins


@pytest.mark.parametrize("missing", [Resource.CLIENTS, Resource.SITES])
def test_without_the_whole_of_the_clients_and_sites_nothing_can_be_told(missing: Resource) -> None:
    cut = ReadOutcome(complete=False, reason="HaloPSA announced 9 and gave 8")
    for inputs in ({**READ, missing: cut}, {key: value for key, value in READ.items() if key is not missing}):
        result = analyze(graph(company("1"), tenant(1), inputs=inputs))
        assert (result.findings, result.completed) == ((), frozenset())
        assert [missing.value in one.reason for one in result.not_evaluated] == [True]


def test_the_evidence_of_a_finding_holds_still_while_the_problem_does() -> None:
    def hashes(found: PsaGraph) -> list[str]:
        return [one.evidence_hash for one in analyze(found).findings]

    sites = (site("10", "1", "b.com", "a.com"), site("11", "1", "gmail.com"))
    assert hashes(graph(CONTOSO, *sites)) == hashes(graph(CONTOSO, *reversed(sites)))
    assert hashes(graph(CONTOSO)) != hashes(graph(company("1", domains=("other.com",))))
