"""Wasted and overused licences: problem, ok and cannot tell, and the edges of seats and days."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, License
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, NotEvaluated, Severity
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers.build import ago, tenant, user
from tests.unit.analyzers.judging import analyzed, found, raised, single, unsure, with_threshold

E3 = License(id="e3", part_number="SPE_E3", consumed_units=5, enabled_units=10)


def licenses(graph: TenantGraph) -> AnalysisResult:
    return analyzed(AnalysisType.LICENSE, graph)


def test_a_disabled_holder_wastes_each_sku_by_itself() -> None:
    graph = tenant(users=(user(enabled=False, sku_ids=("e3", "visio")),), licenses=(E3,))

    result = licenses(graph)

    assert raised(result) == [
        (AlertType.LICENSE_WASTE, "ada", "e3", Severity.MEDIUM),
        (AlertType.LICENSE_WASTE, "ada", "visio", Severity.MEDIUM),
    ]
    assert result.findings[0].message == "Ada (ada@contoso.com) holds SPE_E3 but has a disabled account."
    assert result.completed == {AnalysisType.LICENSE}


def test_a_stale_holder_is_a_low_waste_and_an_active_one_none() -> None:
    graph = tenant(users=(user(last_success=ago(200), sku_ids=("e3",)), user("bob", sku_ids=("e3",))), licenses=(E3,))

    assert raised(licenses(graph)) == [(AlertType.LICENSE_WASTE, "ada", "e3", Severity.LOW)]


@pytest.mark.parametrize(("days", "wasted"), [(44, True), (45, False)])
def test_after_how_many_days_a_holder_wastes_a_licence_is_the_tenants(days: int, *, wasted: bool) -> None:
    graph = tenant(users=(user(last_success=ago(45), sku_ids=("e3",)),), licenses=(E3,))

    state = with_threshold(AlertType.LICENSE_WASTE, days)

    assert bool(found(AlertType.LICENSE_WASTE, graph, state=state)) is wasted


def test_without_sign_in_activity_disabled_holders_are_still_told() -> None:
    graph = tenant(
        users=(user(enabled=False, sku_ids=("e3",)), user("bob", sku_ids=("e3",))),
        licenses=(E3,),
        unread={Resource.SIGN_IN_ACTIVITY: "no premium licence"},
    )

    result = licenses(graph)

    assert raised(result) == [(AlertType.LICENSE_WASTE, "ada", "e3", Severity.MEDIUM)]
    assert unsure(result) == [(AlertType.LICENSE_WASTE, "bob", "e3")]
    assert result.completed == {AnalysisType.LICENSE}


@pytest.mark.parametrize(
    ("sku", "over"),
    [
        (replace(E3, consumed_units=10), False),
        (replace(E3, consumed_units=11), True),
        (replace(E3, consumed_units=12, warning_units=2), False),
        (replace(E3, consumed_units=13, warning_units=2), True),
        (replace(E3, consumed_units=12, suspended_units=2), True),
        (replace(E3, consumed_units=99, applies_to="Company"), False),
    ],
)
def test_overuse_starts_above_enabled_and_warning_seats(sku: License, *, over: bool) -> None:
    result = licenses(tenant(licenses=(sku,)))

    assert [(one.entity_type, one.external_id, one.severity) for one in result.findings] == (
        [(EntityType.LICENSES, "e3", Severity.HIGH)] if over else []
    )


def test_overuse_keeps_its_evidence_when_the_count_moves() -> None:
    first, second = (
        single(AlertType.LICENSE_OVERUSE, tenant(licenses=(replace(E3, consumed_units=count),))) for count in (11, 12)
    )

    assert first.evidence_hash == second.evidence_hash


def test_each_licence_rule_runs_on_its_own_inputs() -> None:
    over = replace(E3, consumed_units=11)
    graph = tenant(
        users=(user(enabled=False, sku_ids=("e3",)),), licenses=(over,), unread={Resource.USERS: "throttled"}
    )

    result = licenses(graph)

    assert [one.alert_type for one in result.findings] == [AlertType.LICENSE_OVERUSE]
    assert result.not_evaluated == (
        NotEvaluated(alert_type=AlertType.LICENSE_WASTE, reason="users could not be read: throttled"),
    )
    assert result.evaluated == {AlertType.LICENSE_OVERUSE}
    assert result.completed == frozenset()


def test_without_skus_no_licence_rule_runs() -> None:
    result = licenses(tenant(users=(user(enabled=False, sku_ids=("e3",)),), unread={Resource.SKUS: "x"}))

    assert (raised(result), result.evaluated, result.completed) == ([], frozenset(), frozenset())
    assert unsure(result) == [(AlertType.LICENSE_OVERUSE, "", ""), (AlertType.LICENSE_WASTE, "", "")]
