"""Accounts that no policy looks after: problem, ok and cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import PolicyUsers
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Severity
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers import build
from tests.unit.analyzers.build import GLOBAL_ADMIN, tenant, user
from tests.unit.analyzers.judging import analyzed, raised, unsure

ADMIN = ((GLOBAL_ADMIN, "ada"),)
BOB_ONLY = build.policy(users=PolicyUsers(include_users=("bob",)))


def gap(graph: TenantGraph) -> AnalysisResult:
    return analyzed(AnalysisType.POLICY, graph)


@pytest.mark.parametrize(("roles", "severity"), [(ADMIN, Severity.HIGH), ((), Severity.MEDIUM)])
def test_an_account_in_no_enabled_policy_is_a_gap(roles: tuple[tuple[str, str], ...], severity: Severity) -> None:
    result = gap(tenant(BOB_ONLY, build.policy("off", state="disabled"), roles=roles))

    assert raised(result) == [(AlertType.POLICY_GAP, "ada", "", severity)]
    assert result.completed == {AnalysisType.POLICY}


def test_any_enabled_policy_or_security_defaults_close_the_gap() -> None:
    assert raised(gap(tenant(build.policy(grant=None)))) == []
    assert raised(gap(tenant(security_defaults=True))) == []
    assert raised(gap(tenant(users=(user(enabled=False),)))) == []


def test_a_policy_for_workload_identities_closes_no_gap() -> None:
    result = gap(tenant(replace(build.policy(), workload_identities_only=True)))

    assert len(result.findings) == 1


@pytest.mark.parametrize(
    ("missing", "complete"),
    [
        (Resource.USERS, False),
        (Resource.POLICIES, False),
        (Resource.ROLE_MEMBERS, False),
        (Resource.SECURITY_DEFAULTS, False),
        (Resource.NAMED_LOCATIONS, True),
    ],
)
def test_a_gap_is_told_only_from_complete_input(missing: Resource, *, complete: bool) -> None:
    result = gap(tenant(BOB_ONLY, unread={missing: "no consent"}))

    assert bool(result.findings) is complete
    assert bool(result.completed) is complete


def test_security_defaults_are_not_asked_for_where_policies_leave_nobody_out() -> None:
    result = gap(tenant(build.policy(), unread={Resource.SECURITY_DEFAULTS: "no consent"}))

    assert result.completed == {AnalysisType.POLICY}


def test_an_account_whose_groups_are_not_known_is_no_gap() -> None:
    staff = build.policy(users=PolicyUsers(include_groups=("staff",)))

    result = gap(tenant(staff, unread={Resource.GROUP_MEMBERS: "throttled"}))

    assert raised(result) == []
    assert unsure(result) == [(AlertType.POLICY_GAP, "", ""), (AlertType.POLICY_GAP, "ada", "")]
    assert result.completed == frozenset()
