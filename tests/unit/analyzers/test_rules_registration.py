"""Who can do MFA: administrators without a method, and those who are asked for it in vain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import ConditionalAccessPolicy, IncludeExclude, PolicyUsers
from pipeline.domain.entities import Group, Identity
from pipeline.domain.findings import AlertType, AnalysisType, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind
from tests.unit.analyzers.build import BLOCK, GLOBAL_ADMIN, READER, TEAMS_ADMIN, ago, policy, tenant, user
from tests.unit.analyzers.judging import analyzed, exempting, found, judged, raised, single, untold

USER_ADMIN = "fe930be7-5e62-47db-91af-98c3a49a38b1"
ADMIN = ((GLOBAL_ADMIN, "ada"),)
UNREGISTERED = replace(user(), mfa_registered=False, mfa_capable=False)
FORBIDDEN = replace(user(), mfa_registered=True, mfa_capable=False)
CAPABLE = replace(user(), mfa_registered=True, mfa_capable=True)
GUEST_FROM_ELSEWHERE = replace(UNREGISTERED, user_type="Guest", user_principal_name="ada_fabrikam.com#EXT#@contoso.com")

# admin_mfa_not_registered

REGISTRATION = AlertType.ADMIN_MFA_NOT_REGISTERED


def held_by(who: Identity) -> TenantGraph:
    return tenant(users=(who,), roles=ADMIN)


def test_an_administrator_without_a_strong_method_is_critical() -> None:
    finding = single(REGISTRATION, tenant(users=(UNREGISTERED,), roles=((USER_ADMIN, "ada"), *ADMIN)))

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.CRITICAL, ("not_registered",))
    assert finding.evidence == {"roles": ["Global Administrator", "User Administrator"]}
    assert finding.message == (
        "Ada (ada@contoso.com) holds Global Administrator, User Administrator "
        "but has no strong authentication method registered."
    )


def test_whether_an_external_administrator_does_mfa_at_home_cannot_be_told() -> None:
    graph = held_by(GUEST_FROM_ELSEWHERE)

    assert found(REGISTRATION, graph) == []
    assert untold(REGISTRATION, graph) == [("ada", "whether the account can do MFA in its home tenant is not read")]


def test_a_role_held_through_a_group_counts() -> None:
    graph = tenant(
        users=(UNREGISTERED,),
        groups=(Group(id="admins", role_assignable=True),),
        members=(("admins", "ada"),),
        roles=((GLOBAL_ADMIN, "admins"),),
    )

    assert found(REGISTRATION, graph) == [("ada", "", Severity.CRITICAL)]


@pytest.mark.parametrize(
    "who", [CAPABLE, FORBIDDEN, replace(UNREGISTERED, enabled=False), replace(FORBIDDEN, enabled=None)]
)
def test_an_administrator_with_a_method_or_a_disabled_account_is_fine(who: Identity) -> None:
    result = judged(REGISTRATION, held_by(who))

    assert (result.findings, result.not_evaluated) == ((), ())
    assert result.rules[0].items == 1


@pytest.mark.parametrize("roles", [(), ((READER, "ada"),), ((TEAMS_ADMIN, "ada"),), ((GLOBAL_ADMIN, "nobody"),)])
def test_who_holds_no_privileged_role_is_not_looked_at(roles: tuple[tuple[str, str], ...]) -> None:
    result = judged(REGISTRATION, tenant(users=(UNREGISTERED,), roles=roles))

    assert (result.findings, result.not_evaluated, result.rules[0].items) == ((), (), 0)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (replace(UNREGISTERED, enabled=None), "whether the account is enabled was not read"),
        (user(), "whether a strong method is registered was not read"),
        (user(enabled=None), "whether the account is enabled was not read"),
    ],
)
def test_an_administrator_of_whom_not_enough_was_read_cannot_be_told(who: Identity, reason: str) -> None:
    assert found(REGISTRATION, held_by(who)) == []
    assert untold(REGISTRATION, held_by(who)) == [("ada", reason)]


@pytest.mark.parametrize(
    "missing",
    [
        Resource.USERS,
        Resource.REGISTRATION_DETAILS,
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
        Resource.ROLE_ASSIGNMENTS,
        Resource.ROLE_DEFINITIONS,
        Resource.GROUPS,
    ],
)
def test_registration_is_told_only_from_complete_input(missing: Resource) -> None:
    graph = tenant(users=(UNREGISTERED,), roles=ADMIN, unread={missing: "no consent"})

    assert found(REGISTRATION, graph) == []
    assert [key for key, _ in untold(REGISTRATION, graph)] == [""]


def test_members_of_groups_matter_to_registration_only_where_a_group_can_hold_a_role() -> None:
    unread = {Resource.GROUP_MEMBERS: "throttled"}
    assignable = (Group(id="admins", role_assignable=True),)

    assert len(found(REGISTRATION, tenant(users=(UNREGISTERED,), roles=ADMIN, unread=unread))) == 1
    assert found(REGISTRATION, tenant(users=(UNREGISTERED,), roles=ADMIN, groups=assignable, unread=unread)) == []


@pytest.mark.parametrize(
    ("kind", "spared"),
    [(ExemptionKind.USER, True), (ExemptionKind.BREAK_GLASS, False), (ExemptionKind.SHARED_MAILBOX, False)],
)
def test_an_emergency_account_needs_a_strong_method_too(kind: ExemptionKind, *, spared: bool) -> None:
    assert (found(REGISTRATION, held_by(UNREGISTERED), state=exempting(kind, "ada")) == []) is spared


# user_not_mfa_capable

CAPABILITY = AlertType.USER_NOT_MFA_CAPABLE
AWAY = policy(locations=IncludeExclude(include=("All",), exclude=("AllTrusted",)))


@pytest.mark.parametrize("demand", [policy(), AWAY])
@pytest.mark.parametrize(
    ("who", "reasons", "why"),
    [
        (UNREGISTERED, ("not_registered",), "it has no method registered"),
        (replace(UNREGISTERED, mfa_registered=None), ("not_registered",), "it has no method registered"),
        (FORBIDDEN, ("method_not_allowed",), "its registered methods are not allowed by the tenant"),
    ],
)
def test_who_is_asked_for_mfa_without_a_method_they_may_use_is_not_capable(
    demand: ConditionalAccessPolicy, who: Identity, reasons: tuple[str, ...], why: str
) -> None:
    finding = single(CAPABILITY, tenant(demand, users=(who,)))

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.MEDIUM, reasons)
    assert finding.message == f"Ada (ada@contoso.com) is asked for MFA but the account is not capable of it: {why}."


def test_security_defaults_ask_for_mfa_too() -> None:
    assert found(CAPABILITY, tenant(users=(UNREGISTERED,), security_defaults=True)) == [("ada", "", Severity.MEDIUM)]


@pytest.mark.parametrize(
    ("who", "policies"),
    [
        (CAPABLE, (policy(),)),
        (replace(UNREGISTERED, enabled=False), (policy(),)),
        (UNREGISTERED, ()),
        (user(), ()),
        (UNREGISTERED, (policy(grant=BLOCK),)),
        (replace(CAPABLE, enabled=None), (policy(),)),
    ],
)
def test_who_is_capable_or_not_asked_is_fine(who: Identity, policies: tuple[ConditionalAccessPolicy, ...]) -> None:
    result = judged(CAPABILITY, tenant(*policies, users=(who,)))

    assert (result.findings, result.not_evaluated, result.rules[0].items) == ((), (), 1)


def test_an_administrator_without_a_method_is_told_once() -> None:
    result = analyzed(AnalysisType.REGISTRATION, tenant(policy(), users=(UNREGISTERED,), roles=ADMIN))

    assert raised(result) == [(REGISTRATION, "ada", "", Severity.CRITICAL)]


@pytest.mark.parametrize(("roles", "privileged"), [(ADMIN, True), (((READER, "ada"),), False)])
def test_an_administrator_with_a_method_that_is_not_allowed_is_not_capable(
    roles: tuple[tuple[str, str], ...], *, privileged: bool
) -> None:
    result = analyzed(AnalysisType.REGISTRATION, tenant(policy(), users=(FORBIDDEN,), roles=roles))

    assert raised(result) == [(CAPABILITY, "ada", "", Severity.MEDIUM)]
    assert result.findings[0].evidence == {"registered": True, "privileged": privileged}


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (user(), "whether the account is capable of MFA was not read"),
        (replace(UNREGISTERED, enabled=None), "whether the account is enabled was not read"),
        (GUEST_FROM_ELSEWHERE, "whether MFA in the account's home tenant is trusted is not read"),
    ],
)
def test_a_user_of_whom_not_enough_was_read_cannot_be_told(who: Identity, reason: str) -> None:
    assert found(CAPABILITY, tenant(policy(), users=(who,))) == []
    assert untold(CAPABILITY, tenant(policy(), users=(who,))) == [("ada", reason)]


def test_a_guest_who_signs_in_here_is_judged_as_anybody() -> None:
    guest = replace(UNREGISTERED, user_type="Guest")

    assert found(CAPABILITY, tenant(policy(), users=(guest,))) == [("ada", "", Severity.MEDIUM)]


@pytest.mark.parametrize(
    "missing",
    [
        Resource.USERS,
        Resource.POLICIES,
        Resource.REGISTRATION_DETAILS,
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
        Resource.ROLE_ASSIGNMENTS,
        Resource.ROLE_DEFINITIONS,
        Resource.GROUPS,
    ],
)
def test_capability_is_told_only_from_complete_input(missing: Resource) -> None:
    graph = tenant(policy(), users=(UNREGISTERED,), unread={missing: "no consent"})

    assert found(CAPABILITY, graph) == []
    assert [key for key, _ in untold(CAPABILITY, graph)] == [""]


def test_an_unread_location_leaves_the_rule_incomplete_and_the_others_judged() -> None:
    graph = tenant(
        replace(AWAY, users=PolicyUsers(include_users=("bob",))),
        policy("ada", users=PolicyUsers(include_users=("ada",))),
        users=(UNREGISTERED, replace(UNREGISTERED, id="bob")),
        unread={Resource.NAMED_LOCATIONS: "no consent"},
    )

    assert found(CAPABILITY, graph) == [("ada", "", Severity.MEDIUM)]
    assert [key for key, _ in untold(CAPABILITY, graph)] == ["", "bob"]


def test_an_unread_location_does_not_matter_to_who_is_capable() -> None:
    graph = tenant(AWAY, users=(CAPABLE,), unread={Resource.NAMED_LOCATIONS: "no consent"})

    assert untold(CAPABILITY, graph) == []


@pytest.mark.parametrize(
    ("kind", "spared"),
    [(ExemptionKind.USER, True), (ExemptionKind.SHARED_MAILBOX, True), (ExemptionKind.BREAK_GLASS, False)],
)
def test_nobody_signs_in_to_a_shared_mailbox_so_it_needs_no_method(kind: ExemptionKind, *, spared: bool) -> None:
    graph = tenant(policy(), users=(UNREGISTERED,))

    assert (found(CAPABILITY, graph, state=exempting(kind, "ada")) == []) is spared


@pytest.mark.parametrize("alert_type", [REGISTRATION, CAPABILITY])
def test_who_can_do_mfa_does_not_depend_on_the_clock(alert_type: AlertType) -> None:
    roles = ADMIN if alert_type is REGISTRATION else ()
    graph = tenant(policy(), users=(UNREGISTERED,), roles=roles)

    assert single(alert_type, graph) == single(alert_type, graph, ago(30))
