"""The old rules, one table a question, each known wrongness pinned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from legacy.analyze import analyze
from legacy.reads import GraphReads
from pipeline.domain.conditional_access import (
    ConditionalAccessPolicy,
    Grant,
    GuestScope,
    IncludeExclude,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
    SecurityDefaults,
)
from pipeline.domain.entities import Entity, EntityType, Group, Identity, License, RelationshipType, Role
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, Severity, Verdict
from pipeline.domain.graph import build_graph

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = Identity(
    id="ann", user_principal_name="ann@contoso.example", enabled=True, user_type="Member", last_sign_in_attempt_at=NOW
)
ADMIN_ROLE = Role(id="r1", display_name="Helpdesk Administrator")
OTHER_ROLE = Role(id="r2", display_name="Authentication Policy Owner")
MFA = ConditionalAccessPolicy(
    id="p1",
    state=PolicyState.ENABLED,
    users=PolicyUsers(include_users=("All",)),
    applications=PolicyApplications(include=("All",)),
    grant=Grant(built_in_controls=("mfa",)),
)
FOR_ONE_APP = replace(MFA, id="p2", applications=PolicyApplications(include=("app",)))
DEFAULTS_ON = SecurityDefaults(id="d", enabled=True)
FOUR = frozenset({AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.LICENSE, AnalysisType.STALE})
KIND_OF: Mapping[type[Entity], EntityType] = {
    Identity: EntityType.IDENTITIES,
    Group: EntityType.GROUPS,
    Role: EntityType.ROLES,
    License: EntityType.LICENSES,
    ConditionalAccessPolicy: EntityType.POLICIES,
    SecurityDefaults: EntityType.SECURITY_DEFAULTS,
}


def run(
    *found: Entity,
    types: frozenset[AnalysisType] = FOUR,
    member_of: Iterable[tuple[str, str]] = (),
    holds: Iterable[tuple[str, str]] = (),
) -> AnalysisResult:
    """The old analysis of a tenant made of ``found``; pairs are (group or role, member)."""
    entities: dict[EntityType, dict[str, Entity]] = {}
    for entity in found:
        entities.setdefault(KIND_OF[type(entity)], {})[entity.id] = entity
    pairs = {RelationshipType.MEMBER_OF: member_of, RelationshipType.ASSIGNED_ROLE: holds}
    return analyze(GraphReads(build_graph(entities=entities, pairs=pairs, inputs={}), NOW), types, NOW)


def of(result: AnalysisResult, *types: AlertType) -> list[Finding]:
    return [finding for finding in result.findings if finding.alert_type in types]


def verdict(*found: Entity, member_of: Iterable[tuple[str, str]] = ()) -> Verdict:
    result = run(USER, *found, types=frozenset({AnalysisType.MFA}), member_of=member_of)
    return next(one.verdict for one in result.mfa_coverage if one.user_id == "ann")


def with_users(users: PolicyUsers) -> ConditionalAccessPolicy:
    return replace(MFA, users=users)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(MFA, Verdict.FULL, id="everybody, everything"),
        pytest.param(FOR_ONE_APP, Verdict.PARTIAL, id="one application"),
        pytest.param(with_users(PolicyUsers(include_users=("ann",))), Verdict.FULL, id="by id"),
        pytest.param(with_users(PolicyUsers(include_groups=("outer",))), Verdict.FULL, id="by nested group"),
        pytest.param(with_users(PolicyUsers(include_groups=("other",))), Verdict.NONE, id="another group"),
        pytest.param(
            with_users(PolicyUsers(include_users=("All",), exclude_users=("ann",))), Verdict.NONE, id="excluded by id"
        ),
        pytest.param(replace(MFA, grant=Grant(built_in_controls=("block",))), Verdict.NONE, id="no MFA control"),
        pytest.param(replace(MFA, grant=None), Verdict.NONE, id="session controls only"),
    ],
)
def test_what_the_old_mfa_rule_gets_right(policy: ConditionalAccessPolicy, expected: Verdict) -> None:
    assert verdict(policy, member_of=[("inner", "ann"), ("outer", "inner")]) is expected


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(replace(MFA, state=PolicyState.REPORT_ONLY), id="report-only"),
        pytest.param(replace(MFA, state=PolicyState.DISABLED), id="disabled"),
        pytest.param(
            with_users(PolicyUsers(include_users=("All",), exclude_groups=("inner",))), id="excluded by group"
        ),
        pytest.param(with_users(PolicyUsers(include_users=("All",), exclude_roles=("r1",))), id="excluded by role"),
        pytest.param(
            with_users(PolicyUsers(include_users=("All",), exclude_guests=GuestScope(kinds=("internalGuest",)))),
            id="guests excluded",
        ),
        pytest.param(replace(MFA, grant=Grant(built_in_controls=("mfa", "compliantDevice"))), id="OR alternative"),
        pytest.param(replace(MFA, platforms=IncludeExclude(include=("android",))), id="one platform"),
        pytest.param(replace(MFA, locations=IncludeExclude(include=("All",), exclude=("AllTrusted",))), id="location"),
        pytest.param(replace(MFA, client_app_types=("browser",)), id="one client"),
        pytest.param(replace(MFA, sign_in_risk_levels=("high",)), id="risk only"),
        pytest.param(
            replace(MFA, applications=PolicyApplications(include=("All",), exclude=("app",))), id="app excluded"
        ),
        pytest.param(replace(MFA, workload_identities_only=True), id="workload identities"),
    ],
)
def test_the_old_mfa_rule_wrongly_says_full(policy: ConditionalAccessPolicy) -> None:
    result = run(USER, ADMIN_ROLE, policy, member_of=[("inner", "ann")], holds=[("r1", "ann")])

    assert result.mfa_coverage[0].verdict is Verdict.FULL
    assert of(result, AlertType.MFA_NOT_ENFORCED, AlertType.MFA_PARTIAL_ENFORCED) == []


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(with_users(PolicyUsers(include_roles=("r1",))), id="included by role"),
        pytest.param(with_users(PolicyUsers(include_guests=GuestScope(kinds=("b2bCollaborationGuest",)))), id="guests"),
        pytest.param(replace(MFA, grant=Grant(authentication_strength_id="s")), id="authentication strength"),
    ],
)
def test_the_old_mfa_rule_wrongly_says_none(policy: ConditionalAccessPolicy) -> None:
    result = run(replace(USER, user_type="Guest"), ADMIN_ROLE, policy, holds=[("r1", "ann")])

    assert result.mfa_coverage[0].verdict is Verdict.NONE


def test_the_first_policy_for_everything_decides() -> None:
    third = replace(MFA, id="p3")
    result = run(USER, FOR_ONE_APP, third, replace(MFA, id="p4"))

    assert result.mfa_coverage[0].policy_ids == ("p3",)


def test_security_defaults_are_full_for_admins_by_name_and_partial_for_others() -> None:
    bob = replace(USER, id="bob", user_principal_name="bob@contoso.example")
    eve = replace(USER, id="eve", user_principal_name="eve@contoso.example")
    result = run(USER, bob, eve, DEFAULTS_ON, ADMIN_ROLE, OTHER_ROLE, holds=[("r1", "ann"), ("r2", "eve")])

    verdicts = {one.user_id: one.verdict for one in result.mfa_coverage}
    assert verdicts == {"ann": Verdict.FULL, "bob": Verdict.PARTIAL, "eve": Verdict.PARTIAL}


@pytest.mark.parametrize(
    ("policies", "role", "alert_type", "severity"),
    [
        ((), ADMIN_ROLE, AlertType.MFA_NOT_ENFORCED, Severity.CRITICAL),
        ((), OTHER_ROLE, AlertType.MFA_NOT_ENFORCED, Severity.HIGH),
        ((FOR_ONE_APP,), ADMIN_ROLE, AlertType.MFA_PARTIAL_ENFORCED, Severity.HIGH),
        ((FOR_ONE_APP,), OTHER_ROLE, AlertType.MFA_PARTIAL_ENFORCED, Severity.MEDIUM),
    ],
)
def test_mfa_severity_follows_the_admin_tag(
    policies: tuple[ConditionalAccessPolicy, ...], role: Role, alert_type: AlertType, severity: Severity
) -> None:
    result = run(USER, role, *policies, types=frozenset({AnalysisType.MFA}), holds=[(role.id, "ann")])

    assert [(one.alert_type, one.severity) for one in result.findings] == [(alert_type, severity)]


@pytest.mark.parametrize("account", [replace(USER, enabled=False), replace(USER, enabled=None)])
def test_only_accounts_known_to_be_enabled_are_asked_for_mfa_a_policy_or_a_sign_in(account: Identity) -> None:
    result = run(replace(account, last_sign_in_attempt_at=None))

    assert result.findings == ()
    assert result.mfa_coverage[0].verdict is Verdict.NOT_APPLICABLE


def test_an_empty_tenant_is_never_cannot_tell() -> None:
    result = run(USER)

    assert result.not_evaluated == ()
    assert result.completed == FOUR
    assert {one.alert_type for one in result.findings} == {AlertType.MFA_NOT_ENFORCED, AlertType.POLICY_GAP}


@pytest.mark.parametrize(
    ("found", "gap"),
    [
        pytest.param((), True, id="no policy"),
        pytest.param((DEFAULTS_ON,), False, id="security defaults"),
        pytest.param((replace(MFA, grant=None),), False, id="any enabled policy will do"),
        pytest.param((replace(MFA, state=PolicyState.REPORT_ONLY),), True, id="report-only"),
        pytest.param((with_users(PolicyUsers(include_groups=("g",))),), False, id="by group"),
        pytest.param((with_users(PolicyUsers(include_users=("ann",))),), False, id="by id"),
        pytest.param((with_users(PolicyUsers(include_users=("All",), exclude_users=("ann",))),), True, id="excluded"),
        pytest.param(
            (with_users(PolicyUsers(include_users=("All",), exclude_groups=("g",))),), False, id="wrong: group excluded"
        ),
        pytest.param((with_users(PolicyUsers(include_roles=("r1",))),), True, id="wrong: included by role"),
    ],
)
def test_policy_gap(found: tuple[Entity, ...], gap: bool) -> None:  # noqa: FBT001 - a table's column
    result = run(
        USER,
        ADMIN_ROLE,
        *found,
        types=frozenset({AnalysisType.POLICY}),
        member_of=[("g", "ann")],
        holds=[("r1", "ann")],
    )

    assert [one.severity for one in of(result, AlertType.POLICY_GAP)] == ([Severity.HIGH] if gap else [])


def test_a_policy_gap_of_somebody_else_is_medium() -> None:
    assert [one.severity for one in of(run(USER), AlertType.POLICY_GAP)] == [Severity.MEDIUM]


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        pytest.param(replace(USER, enabled=False), Severity.MEDIUM, id="disabled"),
        pytest.param(replace(USER, enabled=None), Severity.MEDIUM, id="wrong: state unread is disabled"),
        pytest.param(replace(USER, last_sign_in_attempt_at=NOW - timedelta(days=91)), Severity.LOW, id="stale"),
        pytest.param(replace(USER, last_sign_in_attempt_at=None), Severity.LOW, id="wrong: no data is stale"),
        pytest.param(USER, None, id="in use"),
    ],
)
def test_license_waste_is_one_finding_a_user_and_sku(identity: Identity, expected: Severity | None) -> None:
    held = replace(identity, sku_ids=("s1", "s2", "s1"))
    result = run(held, License(id="s1", part_number="E5"), types=frozenset({AnalysisType.LICENSE}))

    wasted = [(one.subject, one.severity) for one in of(result, AlertType.LICENSE_WASTE)]
    assert wasted == ([] if expected is None else [("s1", expected), ("s2", expected)])


@pytest.mark.parametrize(
    ("sku", "over"),
    [
        (License(id="s", consumed_units=10, enabled_units=10), False),
        (License(id="s", consumed_units=12, enabled_units=10, warning_units=2), False),
        (License(id="s", consumed_units=13, enabled_units=10, warning_units=2), True),
        (License(id="s", consumed_units=13, enabled_units=10, applies_to="Company"), False),
    ],
)
def test_license_overuse(sku: License, over: bool) -> None:  # noqa: FBT001 - a table's column
    found = of(run(sku), AlertType.LICENSE_OVERUSE)

    assert [(one.external_id, one.severity) for one in found] == ([("s", Severity.HIGH)] if over else [])


@pytest.mark.parametrize(
    ("identity", "stale"),
    [
        pytest.param(replace(USER, last_sign_in_attempt_at=NOW - timedelta(days=90, seconds=1)), True, id="over"),
        pytest.param(replace(USER, last_sign_in_attempt_at=NOW - timedelta(days=90)), False, id="at 90 days"),
        pytest.param(
            replace(USER, last_successful_sign_in_at=NOW - timedelta(days=400)), False, id="wrong: attempts are use"
        ),
        pytest.param(
            replace(USER, last_sign_in_attempt_at=NOW - timedelta(days=120), last_non_interactive_attempt_at=NOW),
            True,
            id="wrong: non-interactive use is none",
        ),
        pytest.param(
            replace(USER, last_sign_in_attempt_at=None, created_at=NOW - timedelta(days=1)),
            True,
            id="wrong: a new account is stale since 1970",
        ),
        pytest.param(
            replace(USER, enabled=False, last_sign_in_attempt_at=NOW - timedelta(days=120)), False, id="disabled"
        ),
    ],
)
def test_stale_user(identity: Identity, stale: bool) -> None:  # noqa: FBT001 - a table's column
    assert bool(of(run(identity), AlertType.STALE_USER)) is stale


@pytest.mark.parametrize(
    ("holds", "sku_ids", "severity"),
    [
        ([("r1", "ann")], (), Severity.HIGH),
        ([], ("s",), Severity.MEDIUM),
        ([], (), Severity.LOW),
    ],
)
def test_stale_severity(holds: list[tuple[str, str]], sku_ids: tuple[str, ...], severity: Severity) -> None:
    result = run(replace(USER, last_sign_in_attempt_at=None, sku_ids=sku_ids), ADMIN_ROLE, holds=holds)

    assert [one.severity for one in of(result, AlertType.STALE_USER)] == [severity]


@pytest.mark.parametrize("only", sorted(FOUR))
def test_only_the_types_asked_for_run(only: AnalysisType) -> None:
    result = run(replace(USER, last_sign_in_attempt_at=None, sku_ids=("s",)), types=frozenset({only}))

    assert result.completed == {only}
    assert {one.analysis_type for one in result.findings} == {only}
