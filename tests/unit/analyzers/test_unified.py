"""One run over all types, the rule catalogue, and who is privileged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers import catalogue
from analyzers.facts import Facts
from analyzers.privileged import PRIVILEGED_ROLES, SECURITY_DEFAULTS_ADMIN_ROLES, privileged
from analyzers.unified import ANALYZERS, analyze
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Group, License
from pipeline.domain.findings import OWNER, AlertType, AnalysisType
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers.build import GLOBAL_ADMIN, NOW, READER, TEAMS_ADMIN, ago, tenant, user

EVERY_TYPE = frozenset(AnalysisType)


def full_of_problems() -> TenantGraph:
    return tenant(
        users=(user("zoe", last_success=ago(200), sku_ids=("e3",)), user("ada", enabled=False, sku_ids=("e3",))),
        licenses=(License(id="e3", part_number="SPE_E3", consumed_units=3, enabled_units=2),),
        roles=((GLOBAL_ADMIN, "zoe"),),
    )


def test_one_run_gives_what_every_analyzer_gives_in_a_fixed_order() -> None:
    result = analyze(full_of_problems(), EVERY_TYPE, NOW)

    assert [(one.alert_type.value, one.external_id) for one in result.findings] == [
        ("license_overuse", "e3"),
        ("license_waste", "ada"),
        ("license_waste", "zoe"),
        ("mfa_not_enforced", "zoe"),
        ("policy_gap", "zoe"),
        ("stale_user", "zoe"),
    ]
    assert result.completed == {kind for kind, _ in ANALYZERS}
    assert result.privileged_ids == frozenset({"zoe"})
    assert [one.user_id for one in result.mfa_coverage] == ["ada", "zoe"]
    assert result == analyze(full_of_problems(), EVERY_TYPE, NOW)


@pytest.mark.parametrize("kind", [kind for kind, _ in ANALYZERS])
def test_a_type_that_is_not_asked_for_says_nothing(kind: AnalysisType) -> None:
    result = analyze(full_of_problems(), frozenset({kind}), NOW)

    assert {one.analysis_type for one in result.findings} == {kind}
    assert result.completed == {kind}
    assert bool(result.mfa_coverage) is (kind is AnalysisType.MFA)


def test_no_type_gives_an_empty_result_but_for_the_privileged() -> None:
    result = analyze(full_of_problems(), frozenset({AnalysisType.TENANT}), NOW)

    assert (result.findings, result.completed, result.privileged_ids) == ((), frozenset(), frozenset({"zoe"}))


def test_what_analyzers_share_is_found_out_once() -> None:
    facts = Facts(graph=full_of_problems())

    assert facts.coverage is facts.coverage
    assert facts.holders is facts.holders


def test_every_alert_type_has_one_rule_of_its_analysis_type() -> None:
    assert {rule.alert_type: rule.analysis_type for rule in catalogue.RULES} == dict(OWNER)
    assert len({rule.id for rule in catalogue.RULES}) == len(catalogue.RULES) == len(AlertType)
    assert all(catalogue.rule(one.id) is one for one in catalogue.RULES)


@pytest.mark.parametrize(
    "rule", [one for one in catalogue.RULES if one.analysis_type in dict(ANALYZERS)], ids=lambda one: one.id
)
def test_a_rule_says_it_is_not_evaluated_without_any_of_its_inputs(rule: catalogue.Rule) -> None:
    for resource in rule.inputs:
        graph = tenant(users=(user(last_success=ago(200), sku_ids=("e3",)),), unread={resource: "no consent"})

        result = analyze(graph, EVERY_TYPE, NOW)

        assert rule.alert_type in {one.alert_type for one in result.not_evaluated if not one.external_id}
        assert rule.alert_type not in {one.alert_type for one in result.findings}
        assert rule.analysis_type not in result.completed


def test_the_privileged_are_those_with_a_role_microsoft_marks() -> None:
    graph = tenant(
        users=(user(), user("bob"), user("eve")),
        groups=(Group(id="admins", role_assignable=True),),
        members=(("admins", "bob"),),
        roles=((GLOBAL_ADMIN, "ada"), (GLOBAL_ADMIN, "admins"), (READER, "eve"), (TEAMS_ADMIN, "eve")),
    )

    assert privileged(graph).ids == frozenset({"ada", "bob"})


@pytest.mark.parametrize("missing", [Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, Resource.GROUPS])
def test_without_roles_nobody_is_called_privileged_or_not(missing: Resource) -> None:
    holders = privileged(tenant(roles=((GLOBAL_ADMIN, "ada"),), unread={missing: "no consent"}))

    assert holders.ids is None
    assert "no consent" in holders.reason


@pytest.mark.parametrize("missing", [Resource.ROLE_ASSIGNMENTS, Resource.ROLE_DEFINITIONS])
def test_assignments_that_could_not_be_read_leave_open_who_is_privileged(missing: Resource) -> None:
    holders = privileged(tenant(roles=((GLOBAL_ADMIN, "ada"),), unread={missing: "throttled"}))

    assert holders.ids is None
    assert "throttled" in holders.reason


def test_a_capture_from_before_assignments_were_read_is_judged_by_its_directory_roles() -> None:
    graph = tenant(roles=((GLOBAL_ADMIN, "ada"),))
    later = (Resource.ROLE_ASSIGNMENTS, Resource.ROLE_DEFINITIONS)
    before = replace(graph, inputs={key: value for key, value in graph.inputs.items() if key not in later})

    assert privileged(before).ids == frozenset({"ada"})


def test_the_role_lists_hold_the_global_administrator() -> None:
    assert GLOBAL_ADMIN in PRIVILEGED_ROLES.keys() & SECURITY_DEFAULTS_ADMIN_ROLES.keys()
    assert (len(PRIVILEGED_ROLES), len(SECURITY_DEFAULTS_ADMIN_ROLES)) == (29, 17)
