"""Unused accounts: what counts as use, how bad disuse is, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzers.activity import Use, activity
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Severity
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers.build import GLOBAL_ADMIN, ago, tenant, user
from tests.unit.analyzers.judging import analyzed, found, raised, single, unsure, with_threshold

ADMIN = ((GLOBAL_ADMIN, "ada"),)
CUTOFF = ago(90)
NEVER = user(last_success=None)
NEW = user(created_at=ago(10), last_success=None)


def stale(graph: TenantGraph) -> AnalysisResult:
    return analyzed(AnalysisType.STALE, graph)


@pytest.mark.parametrize(
    ("who", "use"),
    [
        (user(last_success=ago(90)), Use.IN_USE),
        (user(last_success=ago(90.001)), Use.STALE),
        (user(last_success=ago(89.999)), Use.IN_USE),
        (user(created_at=ago(1), last_success=ago(91)), Use.STALE),
        (NEVER, Use.STALE),
        (user(created_at=ago(90), last_success=None), Use.IN_USE),
        (user(created_at=ago(90.001), last_success=None), Use.STALE),
        (NEW, Use.IN_USE),
        (replace(NEW, last_sign_in_attempt_at=ago(1)), Use.IN_USE),
        (user(created_at=None, last_success=None), Use.UNKNOWN),
        (replace(NEVER, last_sign_in_attempt_at=ago(91)), Use.STALE),
        (replace(NEVER, created_at=None, last_sign_in_attempt_at=ago(91)), Use.STALE),
        (replace(NEVER, last_sign_in_attempt_at=ago(1)), Use.STALE),
        (replace(NEVER, last_sign_in_attempt_at=ago(200), last_non_interactive_attempt_at=ago(1)), Use.STALE),
        (replace(NEVER, created_at=None, last_sign_in_attempt_at=ago(1)), Use.UNKNOWN),
        (user(last_success=ago(91), enabled=False), Use.DISABLED),
        (user(last_success=ago(91), enabled=None), Use.UNKNOWN),
    ],
)
def test_use_is_told_from_successes_attempts_and_age(who: Identity, use: Use) -> None:
    assert activity(who, CUTOFF, unreadable=None).use is use


def test_before_successes_were_recorded_failed_attempts_prove_nothing() -> None:
    since = datetime(2023, 11, 30, tzinfo=UTC)
    tried = replace(NEVER, created_at=datetime(2020, 1, 1, tzinfo=UTC), last_sign_in_attempt_at=ago(1))

    assert activity(tried, since, unreadable=None).use is Use.UNKNOWN
    assert activity(tried, datetime(2023, 12, 1, tzinfo=UTC), unreadable=None).use is Use.STALE


@pytest.mark.parametrize(
    ("skus", "roles", "severity"),
    [
        ((), (), Severity.LOW),
        (("e3",), (), Severity.MEDIUM),
        ((), ADMIN, Severity.HIGH),
        (("e3",), ADMIN, Severity.HIGH),
    ],
)
def test_a_stale_user_is_worse_with_a_licence_and_worst_with_a_role(
    skus: tuple[str, ...], roles: tuple[tuple[str, str], ...], severity: Severity
) -> None:
    result = stale(tenant(users=(user(last_success=ago(91), sku_ids=skus),), roles=roles))

    assert raised(result) == [(AlertType.STALE_USER, "ada", "", severity)]
    assert result.completed == {AnalysisType.STALE}


def test_the_threshold_is_the_tenants() -> None:
    graph = tenant(users=(user(last_success=ago(45)),))

    assert found(AlertType.STALE_USER, graph, state=with_threshold(AlertType.STALE_USER, 45)) == []
    assert len(found(AlertType.STALE_USER, graph, state=with_threshold(AlertType.STALE_USER, 44))) == 1


def test_another_rules_threshold_changes_nothing() -> None:
    graph = tenant(users=(user(last_success=ago(45)),))

    assert found(AlertType.STALE_USER, graph, state=with_threshold(AlertType.LICENSE_WASTE, 44)) == []


def test_a_stale_user_reads_the_same_every_day() -> None:
    graph = tenant(users=(user(last_success=ago(200)),))

    assert single(AlertType.STALE_USER, graph) == single(AlertType.STALE_USER, graph, ago(10))


@pytest.mark.parametrize("missing", [Resource.USERS, Resource.SIGN_IN_ACTIVITY, Resource.ROLE_MEMBERS])
def test_stale_users_are_told_only_from_complete_input(missing: Resource) -> None:
    result = stale(tenant(users=(user(last_success=ago(200)),), unread={missing: "no premium licence"}))

    assert (raised(result), unsure(result), result.completed) == ([], [(AlertType.STALE_USER, "", "")], frozenset())


def test_disabled_is_never_stale_and_an_unknown_state_is_listed() -> None:
    graph = tenant(users=(user(enabled=False, last_success=ago(200)), user("bob", enabled=None)))

    result = stale(graph)

    assert (raised(result), unsure(result)) == ([], [(AlertType.STALE_USER, "bob", "")])
    assert result.completed == {AnalysisType.STALE}
