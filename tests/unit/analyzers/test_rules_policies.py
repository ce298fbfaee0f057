"""What is wrong with single policies and with what they leave out: problem, ok and cannot tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    Grant,
    GuestScope,
    IncludeExclude,
    NamedLocation,
    PolicyUsers,
)
from pipeline.domain.entities import EntityType, Group, Identity
from pipeline.domain.findings import AlertType, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind
from tests.unit.analyzers import build
from tests.unit.analyzers.build import GLOBAL_ADMIN, LONG_AGO, NOW, READER, ago, tenant, user
from tests.unit.analyzers.judging import exempting, found, judged, single, untold, with_threshold

GAP = AlertType.CA_EXCLUSION_GAP
DELETED = AlertType.CA_REFERS_TO_DELETED
REPORT_ONLY = AlertType.CA_REPORT_ONLY_STALE
NO_CONSENT = "no consent"
ADA, BOB = user(), user("bob")


def everyone_but(
    *, users: tuple[str, ...] = (), groups: tuple[str, ...] = (), roles: tuple[str, ...] = ()
) -> PolicyUsers:
    return PolicyUsers(include_users=("All",), exclude_users=users, exclude_groups=groups, exclude_roles=roles)


def only(*groups: str) -> PolicyUsers:
    return PolicyUsers(include_groups=groups)


# ca_exclusion_gap, users

NOT_ADA = build.policy("a", users=everyone_but(users=("ada",)))


def test_an_excluded_user_in_no_other_policy_is_a_gap() -> None:
    graph = tenant(NOT_ADA, build.policy("b", users=everyone_but(users=("ada", "gone"))), users=(ADA, BOB))

    finding = single(GAP, graph)

    assert (finding.entity_type, finding.external_id) == (EntityType.IDENTITIES, "ada")
    assert (finding.severity, finding.reasons) == (Severity.MEDIUM, ("excluded_user",))
    assert finding.evidence == {"policy_ids": ["a", "b"]}
    assert finding.message == (
        'Ada (ada@contoso.com) is excluded from "Policy a", "Policy b", and no other enabled conditional access policy '
        "applies instead."
    )


@pytest.mark.parametrize(
    "others",
    [
        (build.policy("b"),),
        (build.policy("b", users=PolicyUsers(include_users=("ada",)), grant=None),),
        (build.policy("b", users=only("staff")),),
        (build.policy("b", users=PolicyUsers(include_roles=(READER,))),),
    ],
)
def test_another_enabled_policy_that_has_the_user_in_scope_closes_the_gap(
    others: tuple[ConditionalAccessPolicy, ...],
) -> None:
    graph = tenant(NOT_ADA, *others, groups=(Group(id="staff"),), members=(("staff", "ada"),), roles=((READER, "ada"),))

    assert found(GAP, graph) == []


@pytest.mark.parametrize("state", ["disabled", "enabledForReportingButNotEnforced"])
def test_only_enabled_policies_exclude_and_protect(state: str) -> None:
    assert found(GAP, tenant(NOT_ADA, build.policy("b", state=state))) == [("ada", "", Severity.MEDIUM)]
    assert found(GAP, tenant(replace(NOT_ADA, state=state))) == []


def test_a_policy_for_workload_identities_neither_excludes_nor_protects() -> None:
    workloads = replace(build.policy("b"), workload_identities_only=True)

    assert found(GAP, tenant(NOT_ADA, workloads)) == [("ada", "", Severity.MEDIUM)]
    assert found(GAP, tenant(replace(NOT_ADA, workload_identities_only=True))) == []


def test_a_disabled_or_deleted_user_is_no_gap() -> None:
    assert found(GAP, tenant(NOT_ADA, users=(user(enabled=False), BOB))) == []
    assert found(GAP, tenant(NOT_ADA, users=(BOB,))) == []


def test_emergency_accounts_are_excluded_on_purpose() -> None:
    assert found(GAP, tenant(NOT_ADA), state=exempting(ExemptionKind.BREAK_GLASS, "ada")) == []


def test_an_excluded_kind_of_guest_is_left_alone() -> None:
    scope = replace(everyone_but(), exclude_guests=GuestScope(kinds=("internalGuest",)))

    assert found(GAP, tenant(build.policy(users=scope), users=(user(user_type="Guest"),))) == []


def test_an_excluded_user_whose_groups_were_not_read_cannot_be_told() -> None:
    graph = tenant(NOT_ADA, build.policy("b", users=only("staff")), unread={Resource.GROUP_MEMBERS: NO_CONSENT})
    reason = "groupMembers could not be read: no consent"

    assert found(GAP, graph) == []
    assert untold(GAP, graph) == [("", reason), ("ada", reason)]


def test_an_excluded_user_of_unknown_state_cannot_be_told() -> None:
    assert untold(GAP, tenant(NOT_ADA, users=(user(enabled=None),))) == [
        ("ada", "whether the account is enabled was not read")
    ]


# ca_exclusion_gap, groups

NOT_STAFF = build.policy("a", users=everyone_but(groups=("staff",)))
STAFF = Group(id="staff", display_name="Staff")


def staffed(*policies: ConditionalAccessPolicy, users: Iterable[Identity] = (ADA, BOB)) -> TenantGraph:
    """Ada and Eve are staff, through a group inside a group."""
    return tenant(
        *policies,
        users=users,
        groups=(STAFF, Group(id="inner"), Group(id="outer")),
        members=(("staff", "inner"), ("inner", "ada"), ("inner", "eve"), ("outer", "staff")),
    )


def test_an_excluded_group_in_no_other_policy_is_a_gap() -> None:
    finding = single(GAP, staffed(NOT_STAFF))

    assert (finding.entity_type, finding.external_id) == (EntityType.GROUPS, "staff")
    assert (finding.severity, finding.reasons) == (Severity.MEDIUM, ("excluded_group",))
    assert finding.evidence == {"policy_ids": ["a"]}
    assert finding.message == (
        'The group "Staff" is excluded from "Policy a", and no other enabled conditional access policy applies instead.'
    )


@pytest.mark.parametrize("scope", [everyone_but(), only("staff"), only("inner"), only("outer")])
def test_another_policy_for_everybody_the_group_or_one_around_it_closes_the_gap(scope: PolicyUsers) -> None:
    assert found(GAP, staffed(NOT_STAFF, build.policy("b", users=scope))) == []


def test_another_policy_that_excludes_the_group_too_closes_no_gap() -> None:
    scope = PolicyUsers(include_groups=("staff",), exclude_groups=("staff",))

    assert found(GAP, staffed(NOT_STAFF, build.policy("b", users=scope))) == [("staff", "", Severity.MEDIUM)]


def test_a_member_whom_the_other_policy_leaves_out_is_a_gap_of_the_user_not_of_the_group() -> None:
    other = build.policy("b", users=everyone_but(users=("ada",)))

    assert found(GAP, staffed(NOT_STAFF, other)) == [("ada", "", Severity.MEDIUM)]


def test_a_policy_for_some_members_leaves_the_gap_for_the_rest() -> None:
    others = build.policy("b", users=PolicyUsers(include_users=("ada",)))

    assert found(GAP, staffed(NOT_STAFF, others)) == []
    assert found(GAP, staffed(NOT_STAFF, others, users=(ADA, user("eve")))) == [("staff", "", Severity.MEDIUM)]


def test_a_group_without_enabled_members_or_of_emergency_accounts_alone_is_no_gap() -> None:
    assert found(GAP, staffed(NOT_STAFF, users=(BOB,))) == []
    assert found(GAP, staffed(NOT_STAFF, users=(user(enabled=False), BOB))) == []
    assert found(GAP, staffed(NOT_STAFF), state=exempting(ExemptionKind.BREAK_GLASS, "ada")) == []


def test_a_group_that_is_gone_is_no_gap() -> None:
    assert found(GAP, tenant(NOT_STAFF)) == []


@pytest.mark.parametrize("missing", [Resource.GROUPS, Resource.GROUP_MEMBERS])
def test_an_excluded_group_cannot_be_told_without_groups(missing: Resource) -> None:
    reason = f"{missing.value} could not be read: no consent"

    assert untold(GAP, tenant(NOT_STAFF, unread={missing: NO_CONSENT})) == [("", reason), ("staff", reason)]


def test_a_group_that_is_accepted_raises_nothing() -> None:
    assert found(GAP, staffed(NOT_STAFF), state=exempting(ExemptionKind.GROUP, "staff")) == []


# ca_exclusion_gap, roles

NOT_ADMINS = build.policy("a", users=everyone_but(roles=(GLOBAL_ADMIN,)))


def test_an_excluded_role_that_somebody_holds_is_a_gap() -> None:
    finding = single(GAP, tenant(NOT_ADMINS, roles=((GLOBAL_ADMIN, "ada"),)))

    assert (finding.entity_type, finding.external_id) == (EntityType.ROLES, GLOBAL_ADMIN)
    assert finding.reasons == ("excluded_role",)
    assert finding.message == (
        'The role "Role 62e9" is excluded from "Policy a", and no other enabled conditional access policy applies '
        "instead."
    )


def test_a_role_that_nobody_enabled_holds_or_another_policy_names_is_no_gap() -> None:
    admins = build.policy("b", users=PolicyUsers(include_roles=(GLOBAL_ADMIN,)))
    held = ((GLOBAL_ADMIN, "ada"),)

    assert found(GAP, tenant(NOT_ADMINS)) == []
    assert found(GAP, tenant(NOT_ADMINS, users=(user(enabled=False),), roles=held)) == []
    assert found(GAP, tenant(NOT_ADMINS, admins, roles=held)) == []


def test_an_excluded_role_cannot_be_told_without_roles() -> None:
    reason = "directoryRoleMembers could not be read: no consent"
    graph = tenant(NOT_ADMINS, unread={Resource.ROLE_MEMBERS: NO_CONSENT})

    assert untold(GAP, graph) == [("", reason), (GLOBAL_ADMIN, reason)]


@pytest.mark.parametrize("missing", [Resource.USERS, Resource.POLICIES])
def test_exclusions_are_told_only_from_complete_input(missing: Resource) -> None:
    result = judged(GAP, tenant(NOT_ADA, unread={missing: NO_CONSENT}))

    assert (result.findings, len(result.not_evaluated)) == ((), 1)


# ca_refers_to_deleted

COMPLETE_NOT = ReadOutcome(complete=False, reason=NO_CONSENT)
EVERY_KIND = replace(
    build.policy(
        users=PolicyUsers(
            include_users=("u2", "ada"),
            exclude_users=("u1",),
            include_groups=("staff", "g1"),
            exclude_groups=("g2",),
            exclude_roles=("r1", READER, GLOBAL_ADMIN),
        ),
        locations=IncludeExclude(include=("office",), exclude=("l1",)),
        grant=Grant(authentication_strength_id="s1"),
    ),
)
PRESENT = tenant(
    EVERY_KIND,
    groups=(STAFF,),
    locations=(NamedLocation(id="office"),),
    strengths=(AuthenticationStrength(id="s2"),),
    roles=((READER, "ada"),),
)


@pytest.mark.parametrize("state", ["enabled", "enabledForReportingButNotEnforced"])
def test_a_policy_that_names_what_is_gone_says_what_by_kind(state: str) -> None:
    finding = single(DELETED, replace(PRESENT, policies={"mfa": replace(EVERY_KIND, state=state)}))

    assert (finding.entity_type, finding.external_id) == (EntityType.POLICIES, "mfa")
    assert finding.severity is Severity.MEDIUM
    assert finding.evidence == {
        "users": ["u1", "u2"],
        "groups": ["g1", "g2"],
        "named_locations": ["l1"],
        "authentication_strengths": ["s1"],
    }
    assert finding.reasons == (
        "deleted_authentication_strengths",
        "deleted_groups",
        "deleted_named_locations",
        "deleted_users",
    )
    assert finding.message == (
        'The policy "Policy mfa" names what the tenant does not have any more: users u1, u2; groups g1, g2; '
        "named location l1; authentication strength s1."
    )


def test_a_disabled_policy_may_name_what_is_gone() -> None:
    assert found(DELETED, replace(PRESENT, policies={"mfa": replace(EVERY_KIND, state="disabled")})) == []


def test_special_values_are_not_ids_of_anything() -> None:
    policy = build.policy(
        users=PolicyUsers(include_users=("All", "None"), exclude_users=("GuestsOrExternalUsers",)),
        locations=IncludeExclude(include=("All",), exclude=("AllTrusted", "00000000-0000-0000-0000-000000000000")),
    )

    assert found(DELETED, tenant(policy)) == []


def test_strengths_that_were_not_read_are_not_deleted() -> None:
    strong = build.policy(grant=Grant(authentication_strength_id="s1"))
    graph = tenant(strong, unread={Resource.AUTHENTICATION_STRENGTHS: NO_CONSENT})

    assert found(DELETED, graph) == []
    assert untold(DELETED, graph) == [("mfa", "authenticationStrengthPolicies could not be read: no consent")]


def test_a_role_of_microsofts_that_nobody_holds_is_not_deleted() -> None:
    compliance_administrator = "17315797-102d-40b4-93e0-432062caca18"

    assert found(DELETED, tenant(build.policy(users=everyone_but(roles=(compliance_administrator,))))) == []


def test_the_compliant_network_is_a_place_that_every_tenant_has() -> None:
    places = IncludeExclude(include=("All",), exclude=("3d46dbda-8382-466a-856d-eb00cbc6b910",))

    assert found(DELETED, tenant(build.policy(locations=places))) == []


def test_what_is_gone_is_told_although_another_kind_was_not_read() -> None:
    unread = {Resource.AUTHENTICATION_STRENGTHS: COMPLETE_NOT}
    graph = replace(PRESENT, inputs={**PRESENT.inputs, **unread})

    assert "authentication_strengths" not in single(DELETED, graph).evidence


@pytest.mark.parametrize("missing", [Resource.POLICIES, Resource.USERS, Resource.GROUPS, Resource.NAMED_LOCATIONS])
def test_deleted_objects_are_told_only_from_complete_input(missing: Resource) -> None:
    result = judged(DELETED, tenant(EVERY_KIND, unread={missing: NO_CONSENT}))

    assert (result.findings, len(result.not_evaluated)) == ((), 1)


# ca_report_only_stale


def trial(*, created_at: datetime | None = LONG_AGO, modified_at: datetime | None = None) -> ConditionalAccessPolicy:
    trying = build.policy(state="enabledForReportingButNotEnforced")
    return replace(trying, created_at=created_at, modified_at=modified_at)


@pytest.mark.parametrize(
    ("policy", "stale"),
    [
        (trial(modified_at=ago(14)), False),
        (trial(modified_at=ago(14) - timedelta(seconds=1)), True),
        (trial(created_at=ago(14)), False),
        (trial(created_at=ago(15)), True),
        (trial(created_at=None, modified_at=ago(15)), True),
        (replace(trial(), state="enabled"), False),
        (replace(trial(), state="disabled"), False),
    ],
)
def test_a_policy_is_left_in_report_only_mode_after_more_than_14_unchanged_days(
    policy: ConditionalAccessPolicy, *, stale: bool
) -> None:
    assert found(REPORT_ONLY, tenant(policy)) == ([("mfa", "", Severity.LOW)] if stale else [])


def test_the_days_in_report_only_mode_are_the_tenants() -> None:
    graph = tenant(trial(modified_at=ago(30)))

    assert found(REPORT_ONLY, graph, state=with_threshold(REPORT_ONLY, 30)) == []
    assert len(found(REPORT_ONLY, graph, state=with_threshold(REPORT_ONLY, 29))) == 1


@pytest.mark.parametrize(
    ("policy", "when"),
    [
        (trial(modified_at=ago(31)), "it was last changed on 2025-05-01"),
        (trial(created_at=ago(31)), "it was created on 2025-05-01"),
    ],
)
def test_a_policy_in_report_only_mode_says_since_when(policy: ConditionalAccessPolicy, when: str) -> None:
    finding = single(REPORT_ONLY, tenant(policy))

    assert finding.entity_type is EntityType.POLICIES
    assert finding.reasons == ("report_only",)
    assert finding.evidence == {"unchanged_since": "2025-05-01"}
    assert finding.message == (
        f'The policy "Policy mfa" has been in report-only mode for more than 14 days, so it protects nobody: {when}.'
    )


def test_a_policy_without_dates_cannot_be_told() -> None:
    reason = "when the policy was created or changed was not read"

    assert untold(REPORT_ONLY, tenant(trial(created_at=None))) == [("mfa", reason)]


def test_report_only_policies_are_told_only_from_complete_input() -> None:
    graph = tenant(trial(), unread={Resource.POLICIES: NO_CONSENT})

    assert untold(REPORT_ONLY, graph) == [("", "conditionalAccessPolicies could not be read: no consent")]


@pytest.mark.parametrize(
    ("alert_type", "graph"),
    [(GAP, tenant(NOT_ADA)), (DELETED, PRESENT), (REPORT_ONLY, tenant(trial()))],
)
def test_nothing_about_a_policy_moves_with_the_clock(alert_type: AlertType, graph: TenantGraph) -> None:
    assert single(alert_type, graph, ago(30)) == single(alert_type, graph, NOW)
