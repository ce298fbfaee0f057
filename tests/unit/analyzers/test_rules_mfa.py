"""Is MFA demanded: problem, ok and cannot tell, and how bad it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import IncludeExclude, PolicyUsers
from pipeline.domain.entities import Group
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Severity, Verdict
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers import build
from tests.unit.analyzers.build import GLOBAL_ADMIN, READER, ago, tenant, user
from tests.unit.analyzers.judging import analyzed, raised, single, unsure

AWAY = build.policy(locations=IncludeExclude(include=("All",), exclude=("AllTrusted",)))
ADMIN = ((GLOBAL_ADMIN, "ada"),)
PLAIN = ((READER, "ada"),)
BOTH = frozenset({AlertType.MFA_NOT_ENFORCED, AlertType.MFA_PARTIAL_ENFORCED})


def mfa(graph: TenantGraph) -> AnalysisResult:
    return analyzed(AnalysisType.MFA, graph)


@pytest.mark.parametrize(
    ("roles", "severity"), [(ADMIN, Severity.CRITICAL), (PLAIN, Severity.HIGH), ((), Severity.HIGH)]
)
def test_no_mfa_is_critical_for_the_privileged(roles: tuple[tuple[str, str], ...], severity: Severity) -> None:
    result = mfa(tenant(roles=roles))

    assert raised(result) == [(AlertType.MFA_NOT_ENFORCED, "ada", "", severity)]
    assert result.evaluated == BOTH
    assert result.completed == {AnalysisType.MFA}


@pytest.mark.parametrize(("roles", "severity"), [(ADMIN, Severity.HIGH), ((), Severity.MEDIUM)])
def test_partial_mfa_is_high_for_the_privileged(roles: tuple[tuple[str, str], ...], severity: Severity) -> None:
    (finding,) = mfa(tenant(AWAY, roles=roles)).findings

    assert (finding.alert_type, finding.severity) == (AlertType.MFA_PARTIAL_ENFORCED, severity)
    assert finding.message == (
        "Ada (ada@contoso.com) can sign in without MFA in some situations: "
        'the only MFA policy "Policy mfa" excludes trusted locations.'
    )
    assert finding.evidence == {"policy_ids": ["mfa"], "excluded_by": [], "privileged": bool(roles)}


def test_a_privileged_role_held_through_a_group_raises_the_severity() -> None:
    graph = tenant(
        groups=(Group(id="admins", role_assignable=True),),
        members=(("admins", "ada"),),
        roles=((GLOBAL_ADMIN, "admins"),),
    )

    assert single(AlertType.MFA_NOT_ENFORCED, graph).severity is Severity.CRITICAL


def test_full_disabled_and_blocked_raise_nothing() -> None:
    covered = tenant(build.policy(), users=(user(), user("bob", enabled=False)))

    assert raised(mfa(covered)) == []
    assert raised(mfa(tenant(build.policy(grant=build.BLOCK)))) == []


@pytest.mark.parametrize(
    "missing", [Resource.USERS, Resource.POLICIES, Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, Resource.GROUPS]
)
def test_mfa_without_a_required_input_finds_nothing_and_is_not_complete(missing: Resource) -> None:
    result = mfa(tenant(unread={missing: "no consent"}))

    assert raised(result) == []
    assert unsure(result) == [(AlertType.MFA_NOT_ENFORCED, "", ""), (AlertType.MFA_PARTIAL_ENFORCED, "", "")]
    assert (result.evaluated, result.completed) == (frozenset(), frozenset())
    assert len(result.mfa_coverage) == 1


def test_an_unread_input_of_some_users_leaves_the_type_incomplete_and_the_others_judged() -> None:
    graph = tenant(
        replace(AWAY, users=PolicyUsers(include_users=("bob",))),
        users=(user(), user("bob")),
        unread={Resource.NAMED_LOCATIONS: "no consent"},
    )

    result = mfa(graph)

    assert raised(result) == [(AlertType.MFA_NOT_ENFORCED, "ada", "", Severity.HIGH)]
    assert (AlertType.MFA_NOT_ENFORCED, "bob", "") in unsure(result)
    assert (AlertType.MFA_NOT_ENFORCED, "", "") in unsure(result)
    assert (result.evaluated, result.completed) == (frozenset(), frozenset())


def test_a_single_account_that_cannot_be_told_leaves_the_type_complete() -> None:
    result = mfa(tenant(build.policy(), users=(user(enabled=None),)))

    assert unsure(result) == [(AlertType.MFA_NOT_ENFORCED, "ada", ""), (AlertType.MFA_PARTIAL_ENFORCED, "ada", "")]
    assert result.completed == {AnalysisType.MFA}
    assert [one.verdict for one in result.mfa_coverage] == [Verdict.UNKNOWN]


def test_the_evidence_stays_the_same_while_the_clock_moves() -> None:
    graph = tenant(AWAY)

    first, later = single(AlertType.MFA_PARTIAL_ENFORCED, graph, ago(30)), single(AlertType.MFA_PARTIAL_ENFORCED, graph)

    assert first.evidence_hash == later.evidence_hash
