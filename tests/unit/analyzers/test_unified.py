"""One run over all types, whom it spares, whom it looks at again, the rule catalogue, and who is privileged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers import catalogue
from analyzers.facts import Facts
from analyzers.privileged import PRIVILEGED_ROLES, SECURITY_DEFAULTS_ADMIN_ROLES, privileged
from analyzers.rule import Rule
from analyzers.unified import JUDGED, Again, analyze
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Group, License, LicenseError
from pipeline.domain.findings import OWNER, AlertType, AnalysisResult, AnalysisType, Finding, RuleCoverage
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind, RuleSettings, RuleState
from tests.unit.analyzers.build import GLOBAL_ADMIN, NOW, READER, TEAMS_ADMIN, ago, tenant, user
from tests.unit.analyzers.judging import exempting, judged

EVERY_TYPE = frozenset(AnalysisType)
FIRST_FOUR = frozenset({AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.LICENSE, AnalysisType.STALE})
NOT_ENFORCED, GAP, WASTE, STALE = (
    AlertType.MFA_NOT_ENFORCED,
    AlertType.POLICY_GAP,
    AlertType.LICENSE_WASTE,
    AlertType.STALE_USER,
)


def full_of_problems() -> TenantGraph:
    return tenant(
        users=(user("zoe", last_success=ago(200), sku_ids=("e3",)), user("ada", enabled=False, sku_ids=("e3",))),
        licenses=(License(id="e3", part_number="SPE_E3", consumed_units=3, enabled_units=2),),
        roles=((GLOBAL_ADMIN, "zoe"),),
    )


def test_one_run_gives_what_every_rule_gives_in_a_fixed_order() -> None:
    result = analyze(full_of_problems(), FIRST_FOUR, NOW)

    assert [(one.alert_type.value, one.external_id) for one in result.findings] == [
        ("license_overuse", "e3"),
        ("license_waste", "ada"),
        ("license_waste", "zoe"),
        ("mfa_not_enforced", "zoe"),
        ("policy_gap", "zoe"),
        ("stale_user", "zoe"),
    ]
    assert (result.ran, result.completed) == (FIRST_FOUR, FIRST_FOUR)
    assert result.privileged_ids == frozenset({"zoe"})
    assert result.mfa_coverage == ()
    explained = analyze(full_of_problems(), FIRST_FOUR, NOW, explain_everybody=True)
    assert [one.user_id for one in explained.mfa_coverage] == ["ada", "zoe"]
    assert result == replace(explained, mfa_coverage=())


def test_a_run_of_every_type_looks_at_those_that_are_told_from_a_graph() -> None:
    result = analyze(full_of_problems(), EVERY_TYPE, NOW)

    assert result.ran == JUDGED == EVERY_TYPE - {AnalysisType.TENANT, AnalysisType.PSA}
    assert {one.alert_type for one in result.rules} == {kind for kind, owner in OWNER.items() if owner in JUDGED}
    assert result == analyze(full_of_problems(), EVERY_TYPE, NOW)


@pytest.mark.parametrize("kind", sorted(JUDGED))
def test_a_type_that_is_not_asked_for_says_nothing(kind: AnalysisType) -> None:
    result = analyze(full_of_problems(), frozenset({kind}), NOW)

    assert {one.analysis_type for one in result.findings} <= {kind}
    assert {OWNER[one.alert_type] for one in result.rules} == {kind}
    assert {OWNER[one.alert_type] for one in result.not_evaluated} <= {kind}
    assert result.ran == {kind}


@pytest.mark.parametrize("kind", sorted(FIRST_FOUR))
def test_a_type_that_is_asked_for_is_complete_by_itself(kind: AnalysisType) -> None:
    result = analyze(full_of_problems(), frozenset({kind}), NOW)

    assert {one.analysis_type for one in result.findings} == {kind}
    assert result.completed == {kind}


def test_no_type_gives_an_empty_result_but_for_the_privileged() -> None:
    result = analyze(full_of_problems(), frozenset({AnalysisType.TENANT}), NOW)

    assert (result.findings, result.completed, result.privileged_ids) == ((), frozenset(), frozenset({"zoe"}))


def test_what_analyzers_share_is_found_out_once() -> None:
    facts = Facts(graph=full_of_problems(), now=NOW)

    assert facts.coverage is facts.coverage
    assert facts.holders is facts.holders


# whom it spares


def told_of(result: AnalysisResult, key: str) -> set[AlertType]:
    return {one.alert_type for one in result.findings if one.external_id == key}


def counted(result: AnalysisResult, alert_type: AlertType) -> RuleCoverage:
    (coverage,) = (one for one in result.rules if one.alert_type is alert_type)
    return coverage


def test_a_user_is_exempt_from_every_rule_and_counted_where_something_was_found() -> None:
    state = exempting(ExemptionKind.USER, "zoe")

    result = analyze(full_of_problems(), FIRST_FOUR, NOW, state=state)

    assert (told_of(result, "zoe"), told_of(result, "ada")) == (set(), {WASTE})
    assert result.exempt == {(one, "zoe") for one in (NOT_ENFORCED, GAP, WASTE, STALE)}
    assert counted(result, WASTE) == RuleCoverage(alert_type=WASTE, items=2, findings=1, exempt=1)
    assert counted(result, STALE) == RuleCoverage(alert_type=STALE, items=2, exempt=1)
    assert counted(result, AlertType.MFA_PARTIAL_ENFORCED).exempt == 0
    assert result.completed == FIRST_FOUR


def test_a_group_exempts_everybody_in_it_at_any_depth_and_nobody_else() -> None:
    graph = tenant(
        users=(user("ada"), user("bob"), user("eve")),
        groups=(Group(id="outer"), Group(id="inner"), Group(id="other")),
        members=(("outer", "inner"), ("inner", "ada"), ("outer", "bob"), ("other", "eve")),
    )

    result = analyze(graph, FIRST_FOUR, NOW, state=exempting(ExemptionKind.GROUP, "outer"))
    inside = analyze(graph, FIRST_FOUR, NOW, state=exempting(ExemptionKind.GROUP, "inner"))

    assert {one.external_id for one in result.findings} == {"eve"}
    assert {one.external_id for one in inside.findings} == {"bob", "eve"}
    assert counted(result, NOT_ENFORCED) == RuleCoverage(alert_type=NOT_ENFORCED, items=3, findings=1, exempt=2)


def test_a_group_that_is_not_there_exempts_nobody() -> None:
    result = analyze(full_of_problems(), FIRST_FOUR, NOW, state=exempting(ExemptionKind.GROUP, "gone"))

    assert result.findings == analyze(full_of_problems(), FIRST_FOUR, NOW).findings


def in_every_trouble() -> TenantGraph:
    ada = user(last_success=ago(200), sku_ids=("e3",))
    return tenant(users=(replace(ada, license_errors=(LicenseError(sku_id="e3"),)),))


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (ExemptionKind.USER, set()),
        (ExemptionKind.BREAK_GLASS, {AlertType.LICENSE_ASSIGNMENT_ERROR}),
        (ExemptionKind.SHARED_MAILBOX, {NOT_ENFORCED, GAP, AlertType.LICENSE_ASSIGNMENT_ERROR}),
    ],
)
def test_a_kind_of_account_is_spared_by_the_rules_that_say_so(kind: ExemptionKind, left: set[AlertType]) -> None:
    types = FIRST_FOUR | {AnalysisType.SUBSCRIPTION}

    result = analyze(in_every_trouble(), types, NOW, state=exempting(kind, "ada"))

    assert told_of(analyze(in_every_trouble(), types, NOW), "ada") == {
        *(NOT_ENFORCED, GAP, WASTE, STALE),
        AlertType.LICENSE_ASSIGNMENT_ERROR,
    }
    assert told_of(result, "ada") == left


@pytest.mark.parametrize("kind", [ExemptionKind.USER, ExemptionKind.BREAK_GLASS])
def test_an_exemption_from_one_rule_holds_for_that_rule_alone(kind: ExemptionKind) -> None:
    result = analyze(in_every_trouble(), FIRST_FOUR, NOW, state=exempting(kind, "ada", NOT_ENFORCED))

    assert told_of(result, "ada") == {GAP, WASTE, STALE}
    assert result.exempt == {(NOT_ENFORCED, "ada")}


def test_several_exemptions_add_up() -> None:
    both = [exempting(ExemptionKind.USER, "zoe", one).settings.exemptions for one in (STALE, GAP)]
    state = RuleState(settings=RuleSettings(exemptions=(*both[0], *both[1])))

    result = analyze(full_of_problems(), FIRST_FOUR, NOW, state=state)

    assert told_of(result, "zoe") == {NOT_ENFORCED, WASTE}


def test_of_an_exempt_user_it_need_not_be_told_whether_there_is_a_problem() -> None:
    graph = tenant(users=(user(enabled=None), user("bob", enabled=None)))

    result = judged(STALE, graph, state=exempting(ExemptionKind.USER, "ada"))

    assert [one.external_id for one in result.not_evaluated] == ["bob"]
    assert counted(result, STALE) == RuleCoverage(alert_type=STALE, items=2, untold=1)
    assert result.exempt == frozenset()


# whom it looks at again


def three_troubled() -> TenantGraph:
    return tenant(users=[user(key, last_success=ago(200)) for key in ("ada", "bob", "eve")])


def found_of(result: AnalysisResult, alert_type: AlertType) -> list[str]:
    return [one.external_id for one in result.findings if one.alert_type is alert_type]


def test_rules_on_single_users_look_again_only_at_those_of_whom_something_changed() -> None:
    again = Again(alert_types=frozenset({NOT_ENFORCED}), users=frozenset({"bob", "gone"}))

    result = analyze(three_troubled(), FIRST_FOUR, NOW, again=again)

    assert found_of(result, NOT_ENFORCED) == ["bob"]
    assert found_of(result, GAP) == ["ada", "bob", "eve"]
    assert result.judged == {NOT_ENFORCED: {"bob", "gone"}}
    assert (counted(result, NOT_ENFORCED).items, counted(result, GAP).items) == (1, 3)


def test_rules_that_rest_on_more_than_a_user_look_at_all_of_them_even_where_asked_for_some() -> None:
    again = Again(alert_types=frozenset({NOT_ENFORCED, STALE}), users=frozenset({"bob"}))

    result = analyze(three_troubled(), FIRST_FOUR, NOW, again=again)

    assert found_of(result, STALE) == ["ada", "bob", "eve"]
    assert counted(result, STALE).items == 3


def test_what_is_found_again_and_what_was_found_of_the_others_is_what_everybody_gives() -> None:
    per_user = frozenset(rule.alert_type for rule in catalogue.RULES if rule.per_user)
    graph = three_troubled()
    whole = analyze(graph, EVERY_TYPE, NOW)

    part = analyze(graph, EVERY_TYPE, NOW, again=Again(alert_types=per_user, users=frozenset({"bob"})))

    def stands(one: Finding) -> bool:
        return one.alert_type in per_user and one.external_id != "bob"

    def place(one: Finding) -> tuple[str, str, str]:
        return one.alert_type, one.external_id, one.subject

    kept = [one for one in whole.findings if stands(one)]
    assert not any(stands(one) for one in part.findings)
    assert sorted([*part.findings, *kept], key=place) == list(whole.findings)


def test_without_a_wish_to_look_again_nobody_is_named_as_looked_at() -> None:
    assert analyze(three_troubled(), FIRST_FOUR, NOW).judged == {}


# the catalogue


def test_every_alert_type_has_one_rule_of_its_analysis_type() -> None:
    assert {rule.alert_type: rule.analysis_type for rule in catalogue.RULES} == dict(OWNER)
    assert len({rule.id for rule in catalogue.RULES}) == len(catalogue.RULES) == len(AlertType)
    assert all(catalogue.rule_of(one.alert_type) is one for one in catalogue.RULES)


@pytest.mark.parametrize(
    "rule", [one for one in catalogue.RULES if one.analysis_type in JUDGED], ids=lambda one: one.id
)
def test_a_rule_says_it_is_not_evaluated_without_any_of_its_inputs(rule: Rule) -> None:
    for resource in rule.inputs:
        graph = tenant(users=(user(last_success=ago(200), sku_ids=("e3",)),), unread={resource: "no consent"})

        result = analyze(graph, EVERY_TYPE, NOW)

        assert rule.alert_type in {one.alert_type for one in result.not_evaluated if not one.external_id}
        assert rule.alert_type not in result.evaluated
        assert rule.alert_type not in {one.alert_type for one in result.findings}
        assert rule.analysis_type not in result.completed


# who is privileged


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
