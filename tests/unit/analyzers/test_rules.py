"""Every rule: problem, ok, cannot tell, and the edges of its thresholds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzers import license as licenses
from analyzers import mfa, policy, stale
from analyzers.activity import Use, activity
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import IncludeExclude, PolicyUsers
from pipeline.domain.entities import EntityType, Group, Identity, License
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, NotEvaluated, Severity, Verdict
from tests.unit.analyzers import build
from tests.unit.analyzers.build import GLOBAL_ADMIN, NOW, READER, ago, tenant, user

AWAY = build.policy(locations=IncludeExclude(include=("All",), exclude=("AllTrusted",)))
ADMIN = ((GLOBAL_ADMIN, "ada"),)
PLAIN = ((READER, "ada"),)
E3 = License(id="e3", part_number="SPE_E3", consumed_units=5, enabled_units=10)


def raised(result: AnalysisResult) -> list[tuple[AlertType, str, str, Severity]]:
    return [(one.alert_type, one.external_id, one.subject, one.severity) for one in result.findings]


def untold(result: AnalysisResult) -> list[tuple[AlertType, str, str]]:
    return [(one.alert_type, one.external_id, one.subject) for one in result.not_evaluated]


# mfa


@pytest.mark.parametrize(
    ("roles", "severity"), [(ADMIN, Severity.CRITICAL), (PLAIN, Severity.HIGH), ((), Severity.HIGH)]
)
def test_no_mfa_is_critical_for_the_privileged(roles: tuple[tuple[str, str], ...], severity: Severity) -> None:
    result = mfa.analyze(tenant(roles=roles), NOW)

    assert raised(result) == [(AlertType.MFA_NOT_ENFORCED, "ada", "", severity)]
    assert result.completed == {AnalysisType.MFA}


@pytest.mark.parametrize(("roles", "severity"), [(ADMIN, Severity.HIGH), ((), Severity.MEDIUM)])
def test_partial_mfa_is_high_for_the_privileged(roles: tuple[tuple[str, str], ...], severity: Severity) -> None:
    (finding,) = mfa.analyze(tenant(AWAY, roles=roles), NOW).findings

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

    assert mfa.analyze(graph, NOW).findings[0].severity is Severity.CRITICAL


def test_full_disabled_and_blocked_raise_nothing() -> None:
    covered = tenant(build.policy(), users=(user(), user("bob", enabled=False)))

    assert raised(mfa.analyze(covered, NOW)) == []
    assert raised(mfa.analyze(tenant(build.policy(grant=build.BLOCK)), NOW)) == []


@pytest.mark.parametrize(
    "missing", [Resource.USERS, Resource.POLICIES, Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, Resource.GROUPS]
)
def test_mfa_without_a_required_input_finds_nothing_and_is_not_complete(missing: Resource) -> None:
    result = mfa.analyze(tenant(unread={missing: "no consent"}), NOW)

    assert raised(result) == []
    assert untold(result) == [(AlertType.MFA_NOT_ENFORCED, "", ""), (AlertType.MFA_PARTIAL_ENFORCED, "", "")]
    assert result.completed == frozenset()
    assert len(result.mfa_coverage) == 1


def test_an_unread_input_of_some_users_leaves_the_type_incomplete_and_the_others_judged() -> None:
    graph = tenant(
        replace(AWAY, users=PolicyUsers(include_users=("bob",))),
        users=(user(), user("bob")),
        unread={Resource.NAMED_LOCATIONS: "no consent"},
    )

    result = mfa.analyze(graph, NOW)

    assert raised(result) == [(AlertType.MFA_NOT_ENFORCED, "ada", "", Severity.HIGH)]
    assert (AlertType.MFA_NOT_ENFORCED, "bob", "") in untold(result)
    assert (AlertType.MFA_NOT_ENFORCED, "", "") in untold(result)
    assert result.completed == frozenset()


def test_a_single_account_that_cannot_be_told_leaves_the_type_complete() -> None:
    result = mfa.analyze(tenant(build.policy(), users=(user(enabled=None),)), NOW)

    assert untold(result) == [(AlertType.MFA_NOT_ENFORCED, "ada", ""), (AlertType.MFA_PARTIAL_ENFORCED, "ada", "")]
    assert result.completed == {AnalysisType.MFA}
    assert [one.verdict for one in result.mfa_coverage] == [Verdict.UNKNOWN]


def test_the_evidence_stays_the_same_while_the_clock_moves() -> None:
    graph = tenant(AWAY)

    first, later = mfa.analyze(graph, ago(30)).findings[0], mfa.analyze(graph, NOW).findings[0]

    assert first.evidence_hash == later.evidence_hash


# policy

BOB_ONLY = build.policy(users=PolicyUsers(include_users=("bob",)))


@pytest.mark.parametrize(("roles", "severity"), [(ADMIN, Severity.HIGH), ((), Severity.MEDIUM)])
def test_an_account_in_no_enabled_policy_is_a_gap(roles: tuple[tuple[str, str], ...], severity: Severity) -> None:
    result = policy.analyze(tenant(BOB_ONLY, build.policy("off", state="disabled"), roles=roles), NOW)

    assert raised(result) == [(AlertType.POLICY_GAP, "ada", "", severity)]
    assert result.completed == {AnalysisType.POLICY}


def test_any_enabled_policy_or_security_defaults_close_the_gap() -> None:
    assert raised(policy.analyze(tenant(build.policy(grant=None)), NOW)) == []
    assert raised(policy.analyze(tenant(security_defaults=True), NOW)) == []
    assert raised(policy.analyze(tenant(users=(user(enabled=False),)), NOW)) == []


def test_a_policy_for_workload_identities_closes_no_gap() -> None:
    result = policy.analyze(tenant(replace(build.policy(), workload_identities_only=True)), NOW)

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
    result = policy.analyze(tenant(BOB_ONLY, unread={missing: "no consent"}), NOW)

    assert bool(result.findings) is complete
    assert bool(result.completed) is complete


def test_security_defaults_are_not_asked_for_where_policies_leave_nobody_out() -> None:
    result = policy.analyze(tenant(build.policy(), unread={Resource.SECURITY_DEFAULTS: "no consent"}), NOW)

    assert result.completed == {AnalysisType.POLICY}


def test_an_account_whose_groups_are_not_known_is_no_gap() -> None:
    staff = build.policy(users=PolicyUsers(include_groups=("staff",)))

    result = policy.analyze(tenant(staff, unread={Resource.GROUP_MEMBERS: "throttled"}), NOW)

    assert raised(result) == []
    assert untold(result) == [(AlertType.POLICY_GAP, "", ""), (AlertType.POLICY_GAP, "ada", "")]
    assert result.completed == frozenset()


# licence


def test_a_disabled_holder_wastes_each_sku_by_itself() -> None:
    graph = tenant(users=(user(enabled=False, sku_ids=("e3", "visio")),), licenses=(E3,))

    result = licenses.analyze(graph, NOW)

    assert raised(result) == [
        (AlertType.LICENSE_WASTE, "ada", "e3", Severity.MEDIUM),
        (AlertType.LICENSE_WASTE, "ada", "visio", Severity.MEDIUM),
    ]
    assert result.findings[0].message == "Ada (ada@contoso.com) holds SPE_E3 but has a disabled account."
    assert result.completed == {AnalysisType.LICENSE}


def test_a_stale_holder_is_a_low_waste_and_an_active_one_none() -> None:
    graph = tenant(users=(user(last_success=ago(200), sku_ids=("e3",)), user("bob", sku_ids=("e3",))), licenses=(E3,))

    assert raised(licenses.analyze(graph, NOW)) == [(AlertType.LICENSE_WASTE, "ada", "e3", Severity.LOW)]


def test_without_sign_in_activity_disabled_holders_are_still_told() -> None:
    graph = tenant(
        users=(user(enabled=False, sku_ids=("e3",)), user("bob", sku_ids=("e3",))),
        licenses=(E3,),
        unread={Resource.SIGN_IN_ACTIVITY: "no premium licence"},
    )

    result = licenses.analyze(graph, NOW)

    assert raised(result) == [(AlertType.LICENSE_WASTE, "ada", "e3", Severity.MEDIUM)]
    assert untold(result) == [(AlertType.LICENSE_WASTE, "bob", "e3")]
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
    result = licenses.analyze(tenant(licenses=(sku,)), NOW)

    assert [(one.entity_type, one.external_id, one.severity) for one in result.findings] == (
        [(EntityType.LICENSES, "e3", Severity.HIGH)] if over else []
    )


def test_overuse_keeps_its_evidence_when_the_count_moves() -> None:
    first, second = (
        licenses.analyze(tenant(licenses=(replace(E3, consumed_units=count),)), NOW).findings[0] for count in (11, 12)
    )

    assert first.evidence_hash == second.evidence_hash


def test_each_licence_rule_runs_on_its_own_inputs() -> None:
    over = replace(E3, consumed_units=11)
    graph = tenant(
        users=(user(enabled=False, sku_ids=("e3",)),), licenses=(over,), unread={Resource.USERS: "throttled"}
    )

    result = licenses.analyze(graph, NOW)

    assert [one.alert_type for one in result.findings] == [AlertType.LICENSE_OVERUSE]
    assert result.not_evaluated == (
        NotEvaluated(alert_type=AlertType.LICENSE_WASTE, reason="users could not be read: throttled"),
    )
    assert result.completed == frozenset()


def test_without_skus_no_licence_rule_runs() -> None:
    result = licenses.analyze(tenant(users=(user(enabled=False, sku_ids=("e3",)),), unread={Resource.SKUS: "x"}), NOW)

    assert (raised(result), result.completed) == ([], frozenset())
    assert untold(result) == [(AlertType.LICENSE_OVERUSE, "", ""), (AlertType.LICENSE_WASTE, "", "")]


# activity and stale

CUTOFF = ago(90)
NEVER = user(last_success=None)
NEW = user(created_at=ago(10), last_success=None)


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
    result = stale.analyze(tenant(users=(user(last_success=ago(91), sku_ids=skus),), roles=roles), NOW)

    assert raised(result) == [(AlertType.STALE_USER, "ada", "", severity)]
    assert result.completed == {AnalysisType.STALE}


def test_the_threshold_is_the_tenants() -> None:
    who = user(last_success=ago(45))

    assert raised(stale.analyze(tenant(users=(who,), stale_after_days=45), NOW)) == []
    assert len(stale.analyze(tenant(users=(who,), stale_after_days=44), NOW).findings) == 1


def test_a_stale_user_reads_the_same_every_day() -> None:
    graph = tenant(users=(user(last_success=ago(200)),))

    assert stale.analyze(graph, NOW).findings == stale.analyze(graph, ago(10)).findings


@pytest.mark.parametrize("missing", [Resource.USERS, Resource.SIGN_IN_ACTIVITY, Resource.ROLE_MEMBERS])
def test_stale_users_are_told_only_from_complete_input(missing: Resource) -> None:
    result = stale.analyze(tenant(users=(user(last_success=ago(200)),), unread={missing: "no premium licence"}), NOW)

    assert (raised(result), untold(result), result.completed) == ([], [(AlertType.STALE_USER, "", "")], frozenset())


def test_disabled_is_never_stale_and_an_unknown_state_is_listed() -> None:
    graph = tenant(users=(user(enabled=False, last_success=ago(200)), user("bob", enabled=None)))

    result = stale.analyze(graph, NOW)

    assert (raised(result), untold(result)) == ([], [(AlertType.STALE_USER, "bob", "")])
    assert result.completed == {AnalysisType.STALE}
