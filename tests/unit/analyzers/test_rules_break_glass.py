"""Emergency access accounts that are of no use: problem, ok and cannot tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import (
    ConditionalAccessPolicy,
    DeviceFilter,
    Grant,
    IncludeExclude,
    PolicyUsers,
)
from pipeline.domain.entities import EntityType, Group, Identity
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import Exemption, ExemptionKind, RuleSettings, RuleState
from tests.unit.analyzers import build
from tests.unit.analyzers.build import BLOCK, GLOBAL_ADMIN, NOW, READER, ago, tenant, user
from tests.unit.analyzers.judging import exempting, judged

LOCKED_OUT = AlertType.BREAK_GLASS_LOCKED_OUT
NAMED = exempting(ExemptionKind.BREAK_GLASS, "ada")
UNNAMED = RuleState()
ADMIN = ((GLOBAL_ADMIN, "ada"),)
NO_CONSENT = "no consent"
DEVICE = Grant(built_in_controls=("compliantDevice",))
ABROAD = IncludeExclude(include=("All",), exclude=("AllTrusted",))
AT_HOME = IncludeExclude(include=("AllTrusted",))
NOT_COMPLIANT = DeviceFilter(mode="exclude", rule="device.isCompliant -eq True")


def admin(*policies: ConditionalAccessPolicy, users: Iterable[Identity] | None = None) -> TenantGraph:
    """Ada holds Global Administrator."""
    return tenant(*policies, users=users, roles=ADMIN)


def findings(graph: TenantGraph, state: RuleState = NAMED) -> list[Finding]:
    return list(judged(LOCKED_OUT, graph, state=state).findings)


def reasons(graph: TenantGraph, state: RuleState = NAMED) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.external_id, one.reasons) for one in findings(graph, state)]


def untold(graph: TenantGraph, state: RuleState = NAMED) -> list[tuple[str, str]]:
    return [(one.external_id, one.reason) for one in judged(LOCKED_OUT, graph, state=state).not_evaluated]


# accounts the tenant names


@pytest.mark.parametrize(
    "policies",
    [
        (),
        (build.policy(),),
        (build.policy(grant=Grant(terms_of_use=("terms",))),),
        (build.policy(grant=Grant(built_in_controls=("compliantDevice", "mfa"))),),
        (build.policy(grant=Grant(built_in_controls=("compliantDevice",), terms_of_use=("terms",))),),
        (build.policy(grant=BLOCK, locations=ABROAD),),
        (build.policy(grant=BLOCK, client_app_types=("exchangeActiveSync", "other")),),
        (build.policy(grant=BLOCK, client_app_types=("mobileAppsAndDesktopClients",)),),
        (replace(build.policy(grant=BLOCK), sign_in_risk_levels=("high",)),),
        (build.policy(grant=BLOCK, state="enabledForReportingButNotEnforced"),),
        (build.policy(grant=BLOCK, users=PolicyUsers(include_users=("All",), exclude_users=("ada",))),),
    ],
)
def test_an_account_that_can_sign_in_somehow_is_not_locked_out(policies: tuple[ConditionalAccessPolicy, ...]) -> None:
    result = judged(LOCKED_OUT, admin(*policies), state=NAMED)

    assert (result.findings, result.not_evaluated) == ((), ())
    assert [one.items for one in result.rules] == [1]


def test_a_disabled_account_is_locked_out() -> None:
    (finding,) = findings(admin(users=(user(enabled=False),)))

    assert (finding.entity_type, finding.external_id) == (EntityType.IDENTITIES, "ada")
    assert (finding.severity, finding.reasons) == (Severity.HIGH, ("account_disabled",))
    assert finding.evidence == {"policy_ids": []}
    assert finding.message == (
        "The emergency access account Ada (ada@contoso.com) could not be used in an emergency: it is disabled."
    )


@pytest.mark.parametrize("roles", [(), ((READER, "ada"),)])
def test_an_account_that_is_no_global_administrator_any_more_is_locked_out(roles: tuple[tuple[str, str], ...]) -> None:
    assert reasons(tenant(roles=roles)) == [("ada", ("not_global_admin",))]


def test_global_administrator_through_a_group_counts() -> None:
    graph = tenant(
        groups=(Group(id="admins", role_assignable=True),),
        members=(("admins", "ada"),),
        roles=((GLOBAL_ADMIN, "admins"),),
    )

    assert reasons(graph) == []


def test_an_account_that_is_gone_is_locked_out() -> None:
    (finding,) = findings(admin(users=(user("bob"),)))

    assert (finding.external_id, finding.reasons) == ("ada", ("account_deleted",))
    assert finding.message == (
        "The emergency access account ada could not be used in an emergency: it does not exist any more."
    )


@pytest.mark.parametrize(
    "policies",
    [
        (build.policy(grant=BLOCK),),
        (build.policy(grant=BLOCK, client_app_types=("browser", "mobileAppsAndDesktopClients")),),
        (build.policy("mfa", grant=BLOCK, locations=ABROAD), build.policy("b", grant=BLOCK, locations=AT_HOME)),
    ],
)
def test_an_account_blocked_in_every_situation_is_locked_out(policies: tuple[ConditionalAccessPolicy, ...]) -> None:
    (finding,) = findings(admin(*policies))

    assert finding.reasons == ("blocked",)
    assert finding.evidence == {"policy_ids": sorted(one.id for one in policies)}


@pytest.mark.parametrize(
    "policies",
    [
        (build.policy(grant=DEVICE),),
        (build.policy(grant=Grant(built_in_controls=("compliantDevice", "domainJoinedDevice"))),),
        (build.policy(grant=Grant(operator="AND", built_in_controls=("mfa", "domainJoinedDevice"))),),
        (build.policy("mfa", grant=BLOCK, locations=ABROAD), build.policy("b", grant=DEVICE, locations=AT_HOME)),
        (replace(build.policy(grant=BLOCK), device_filter=NOT_COMPLIANT),),
    ],
)
def test_an_account_that_needs_a_managed_device_is_locked_out(policies: tuple[ConditionalAccessPolicy, ...]) -> None:
    (finding,) = findings(admin(*policies))

    assert finding.reasons == ("device_required",)
    assert finding.evidence == {"policy_ids": sorted(one.id for one in policies)}


def test_what_keeps_the_account_out_is_said_together() -> None:
    (blocked,) = findings(tenant(build.policy(grant=BLOCK)))
    (device,) = findings(admin(build.policy(grant=DEVICE)))

    assert blocked.reasons == ("blocked", "not_global_admin")
    assert blocked.message == (
        "The emergency access account Ada (ada@contoso.com) could not be used in an emergency: every sign-in is "
        'blocked by "Policy mfa" and it does not hold the role Global Administrator.'
    )
    assert device.message == (
        "The emergency access account Ada (ada@contoso.com) could not be used in an emergency: only a device that the "
        'tenant manages gets past "Policy mfa".'
    )


def test_each_named_account_is_judged_by_itself() -> None:
    kind = ExemptionKind.BREAK_GLASS
    both = tuple(Exemption(kind=kind, external_id=key) for key in ("bob", "ada"))
    state = RuleState(settings=RuleSettings(exemptions=both))

    assert reasons(admin(users=(user(), user("bob"))), state) == [("bob", ("not_global_admin",))]


def test_an_account_of_unknown_state_cannot_be_told_unless_it_is_locked_out_anyway() -> None:
    unclear = user(enabled=None)

    assert untold(admin(users=(unclear,))) == [("ada", "whether the account is enabled was not read")]
    assert reasons(admin(build.policy(grant=BLOCK), users=(unclear,))) == [("ada", ("blocked",))]


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        (
            build.policy(grant=BLOCK, users=PolicyUsers(include_users=("All",), exclude_groups=("rescue",))),
            Resource.GROUP_MEMBERS,
        ),
        (build.policy(grant=BLOCK, locations=IncludeExclude(include=("office",))), Resource.NAMED_LOCATIONS),
        (
            build.policy(
                grant=Grant(
                    operator="AND", built_in_controls=("compliantDevice",), authentication_strength_id="strength"
                )
            ),
            Resource.AUTHENTICATION_STRENGTHS,
        ),
    ],
)
def test_an_unread_input_that_could_lock_the_account_out_leaves_it_untold(
    policy: ConditionalAccessPolicy, missing: Resource
) -> None:
    graph = tenant(policy, roles=ADMIN, unread={missing: NO_CONSENT})

    assert findings(graph) == []
    assert untold(graph) == [("ada", f"{missing.value} could not be read: no consent")]


def test_an_unread_input_that_cannot_lock_the_account_out_does_not_matter() -> None:
    mfa = build.policy(users=PolicyUsers(include_users=("All",), exclude_groups=("rescue",)))

    assert untold(tenant(mfa, roles=ADMIN, unread={Resource.GROUP_MEMBERS: NO_CONSENT})) == []


@pytest.mark.parametrize(
    "missing",
    [Resource.USERS, Resource.POLICIES, Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, Resource.GROUPS],
)
def test_emergency_accounts_are_told_only_from_complete_input(missing: Resource) -> None:
    graph = tenant(users=(), unread={missing: NO_CONSENT})

    assert (findings(graph), untold(graph)) == ([], [("", f"{missing.value} could not be read: no consent")])


# accounts that policies show to be emergency accounts


def excluding(
    *, users: tuple[str, ...] = (), groups: tuple[str, ...] = (), roles: tuple[str, ...] = ()
) -> ConditionalAccessPolicy:
    """MFA for everybody but these."""
    scope = PolicyUsers(include_users=("All",), exclude_users=users, exclude_groups=groups, exclude_roles=roles)
    return build.policy("spare", users=scope)


BLOCKS_ADA = build.policy("block", grant=BLOCK, users=PolicyUsers(include_users=("ada",)))


def test_a_global_administrator_excluded_by_name_or_group_is_an_emergency_account() -> None:
    by_group = tenant(
        excluding(groups=("rescue",)),
        BLOCKS_ADA,
        groups=(Group(id="rescue"),),
        members=(("rescue", "ada"),),
        roles=ADMIN,
    )

    assert reasons(admin(excluding(users=("ada",)), BLOCKS_ADA), UNNAMED) == [("ada", ("blocked",))]
    assert reasons(by_group, UNNAMED) == [("ada", ("blocked",))]


@pytest.mark.parametrize(
    "policy",
    [
        excluding(),
        excluding(users=("bob",)),
        excluding(roles=(GLOBAL_ADMIN,)),
        excluding(users=("GuestsOrExternalUsers",)),
        replace(excluding(users=("ada",)), state="disabled"),
        build.policy("spare", users=PolicyUsers(include_groups=("staff",), exclude_users=("ada",))),
    ],
)
def test_any_other_global_administrator_is_none(policy: ConditionalAccessPolicy) -> None:
    result = judged(LOCKED_OUT, admin(policy, BLOCKS_ADA), state=UNNAMED)

    assert (result.findings, result.not_evaluated) == ((), ())
    assert [one.items for one in result.rules] == [0]


def test_an_excluded_user_who_is_no_global_administrator_is_no_emergency_account() -> None:
    assert reasons(tenant(excluding(users=("ada",)), BLOCKS_ADA), UNNAMED) == []


def test_where_the_tenant_names_accounts_no_other_is_taken_for_one() -> None:
    state = exempting(ExemptionKind.BREAK_GLASS, "bob")
    graph = tenant(
        excluding(users=("ada",)),
        BLOCKS_ADA,
        users=(user(), user("bob")),
        roles=(*ADMIN, (GLOBAL_ADMIN, "bob")),
    )

    assert reasons(graph, state) == []


def test_without_groups_a_locked_out_administrator_may_be_an_emergency_account() -> None:
    spare = excluding(groups=("rescue",))
    unread = {Resource.GROUP_MEMBERS: NO_CONSENT}
    reason = "groupMembers could not be read: no consent"

    assert untold(tenant(spare, BLOCKS_ADA, roles=ADMIN, unread=unread), UNNAMED) == [("", reason), ("ada", reason)]
    assert untold(tenant(spare, roles=ADMIN, unread=unread), UNNAMED) == []


def test_nothing_about_an_emergency_account_moves_with_the_clock() -> None:
    graph = admin(build.policy(grant=BLOCK))

    first, later = (judged(LOCKED_OUT, graph, now, state=NAMED).findings for now in (ago(30), NOW))

    assert first == later
