"""Whom a policy concerns: users, groups, roles, guests; exclusion wins; what was not read is not guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers.coverage import UserCoverage, measure
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import (
    ConditionalAccessPolicy,
    Grant,
    GuestScope,
    IncludeExclude,
    PolicyState,
    PolicyUsers,
)
from pipeline.domain.entities import Group, Identity, PerUserMfa
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers.build import BLOCK, EVERYONE, GLOBAL_ADMIN, READER, TEAMS_ADMIN, policy, tenant, user

STAFF, TEAM, ADMINS = (
    Group(id="staff", display_name="Staff"),
    Group(id="team"),
    Group(id="admins", role_assignable=True),
)
NESTED = (("staff", "team"), ("team", "ada"))
INTERNAL, EXTERNAL = user("ada", user_type="Guest"), user("ada", user_type="Guest", upn="ada_x.com#EXT#@contoso.com")
EXTERNAL_MEMBER = user("ada", upn="ada_x.com#EXT#@contoso.com")


def ada(graph: TenantGraph) -> UserCoverage:
    return measure(graph)["ada"]


def excluding(**sides: tuple[str, ...] | GuestScope) -> PolicyUsers:
    return replace(EVERYONE, **sides)  # type: ignore[arg-type] # a mapping of several field types


def of(users: PolicyUsers, who: Identity | None = None) -> UserCoverage:
    """Coverage of ada, who is in team, which is in staff, and holds Teams Administrator through a group."""
    return ada(
        tenant(
            policy(users=users),
            users=(who or user(),),
            groups=(STAFF, TEAM, ADMINS),
            members=(*NESTED, ("admins", "ada")),
            roles=((TEAMS_ADMIN, "admins"),),
        )
    )


@pytest.mark.parametrize(
    ("users", "verdict", "excluded_by"),
    [
        (PolicyUsers(include_users=("ada",)), Verdict.FULL, ()),
        (PolicyUsers(include_groups=("team",)), Verdict.FULL, ()),
        (PolicyUsers(include_groups=("staff",)), Verdict.FULL, ()),
        (PolicyUsers(include_roles=(TEAMS_ADMIN,)), Verdict.FULL, ()),
        (PolicyUsers(include_roles=(GLOBAL_ADMIN,)), Verdict.NONE, ()),
        (PolicyUsers(include_groups=("elsewhere",)), Verdict.NONE, ()),
        (excluding(exclude_users=("ada",)), Verdict.NONE, ("mfa:excluded_user:ada",)),
        (excluding(exclude_groups=("staff",)), Verdict.NONE, ("mfa:excluded_group:staff",)),
        (excluding(exclude_roles=(TEAMS_ADMIN,)), Verdict.NONE, ("mfa:excluded_role:" + TEAMS_ADMIN,)),
        (excluding(exclude_groups=("elsewhere",)), Verdict.FULL, ()),
        (
            PolicyUsers(include_users=("ada",), exclude_groups=("team",)),
            Verdict.NONE,
            ("mfa:excluded_group:team",),
        ),
    ],
)
def test_inclusion_by_any_path_counts_and_exclusion_by_any_path_wins(
    users: PolicyUsers, verdict: Verdict, excluded_by: tuple[str, ...]
) -> None:
    covered = of(users)

    assert (covered.verdict, covered.excluded_by) == (verdict, excluded_by)


def test_the_sentence_names_the_excluded_group() -> None:
    assert (
        of(excluding(exclude_groups=("staff",))).because
        == 'the only MFA policy "Policy mfa" excludes the group "Staff"'
    )


ONE_TENANT = ("11111111-1111-1111-1111-111111111111",)


@pytest.mark.parametrize(
    ("who", "kinds", "tenants", "verdict"),
    [
        (INTERNAL, ("internalGuest",), None, Verdict.NONE),
        (INTERNAL, ("b2bCollaborationGuest",), None, Verdict.FULL),
        (INTERNAL, ("internalGuest",), ONE_TENANT, Verdict.NONE),
        (EXTERNAL, ("b2bCollaborationGuest", "internalGuest"), None, Verdict.NONE),
        (EXTERNAL, ("b2bCollaborationMember",), None, Verdict.FULL),
        (EXTERNAL, ("b2bCollaborationGuest",), ONE_TENANT, Verdict.UNKNOWN),
        (EXTERNAL_MEMBER, ("b2bCollaborationMember",), None, Verdict.NONE),
        (EXTERNAL_MEMBER, ("b2bCollaborationGuest",), None, Verdict.FULL),
        (user(), ("internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember"), None, Verdict.FULL),
        (user(user_type=None), ("internalGuest",), None, Verdict.UNKNOWN),
    ],
)
def test_guests_are_excluded_by_kind_and_home_tenant(
    who: Identity, kinds: tuple[str, ...], tenants: tuple[str, ...] | None, verdict: Verdict
) -> None:
    covered = of(excluding(exclude_guests=GuestScope(kinds=kinds, external_tenant_ids=tenants)), who)

    assert covered.verdict is verdict
    assert not covered.input_missing


@pytest.mark.parametrize(
    ("who", "verdict"), [(INTERNAL, Verdict.FULL), (EXTERNAL, Verdict.FULL), (user(), Verdict.NONE)]
)
def test_the_older_word_for_guests_means_all_of_them(who: Identity, verdict: Verdict) -> None:
    assert of(PolicyUsers(include_users=("GuestsOrExternalUsers",)), who).verdict is verdict


def test_a_guest_left_out_by_the_older_word_is_an_excluded_guest() -> None:
    assert of(excluding(exclude_users=("GuestsOrExternalUsers",)), INTERNAL).reasons == ("excluded_guest",)


def test_a_disabled_account_is_not_judged() -> None:
    covered = of(EVERYONE, user(enabled=False))

    assert (covered.verdict, covered.reasons) == (Verdict.NOT_APPLICABLE, ("account_disabled",))


def test_an_account_of_unknown_state_is_not_guessed() -> None:
    assert of(EVERYONE, user(enabled=None)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("roles", "verdict", "reasons"),
    [
        (((GLOBAL_ADMIN, "ada"),), Verdict.FULL, ("security_defaults",)),
        (((TEAMS_ADMIN, "admins"),), Verdict.FULL, ("security_defaults",)),
        (((READER, "ada"),), Verdict.PARTIAL, ("security_defaults_adaptive",)),
        ((), Verdict.PARTIAL, ("security_defaults_adaptive",)),
    ],
)
def test_security_defaults_are_full_for_the_admin_roles_microsoft_lists(
    roles: tuple[tuple[str, str], ...], verdict: Verdict, reasons: tuple[str, ...]
) -> None:
    graph = tenant(groups=(ADMINS,), members=(("admins", "ada"),), roles=roles, security_defaults=True)

    assert (ada(graph).verdict, ada(graph).reasons) == (verdict, reasons)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (PerUserMfa.ENFORCED, Verdict.FULL),
        (PerUserMfa.ENABLED, Verdict.NONE),
        (PerUserMfa.DISABLED, Verdict.NONE),
        (None, Verdict.NONE),
    ],
)
def test_only_enforced_per_user_mfa_is_full(state: PerUserMfa | None, verdict: Verdict) -> None:
    assert ada(tenant(users=(replace(user(), per_user_mfa=state),))).verdict is verdict


def test_a_global_administrator_left_out_by_name_is_a_break_glass_account() -> None:
    left_out = policy(users=excluding(exclude_users=("ada",)))

    assert ada(tenant(left_out, roles=((GLOBAL_ADMIN, "ada"),))).reasons == ("break_glass_excluded", "excluded_user")
    assert ada(tenant(left_out, roles=((READER, "ada"),))).reasons == ("excluded_user",)


BY_GROUP = policy(users=PolicyUsers(include_groups=("staff",)))
BY_ROLE = policy(users=PolicyUsers(include_roles=(GLOBAL_ADMIN,)))
AWAY = policy(locations=IncludeExclude(include=("All",), exclude=("AllTrusted",)))
STRONG = policy(grant=Grant(authentication_strength_id="strong"))
TOLD_STRONG = policy(grant=Grant(authentication_strength_id="strong", authentication_strength_satisfies="mfa"))
TOLD_WEAK = policy(grant=Grant(authentication_strength_id="weak", authentication_strength_satisfies="none"))
ALL_BUT_STAFF = policy(users=excluding(exclude_groups=("staff",)))


@pytest.mark.parametrize(
    ("policies", "resource", "verdict"),
    [
        ((policy(),), Resource.USERS, Verdict.UNKNOWN),
        ((policy(),), Resource.POLICIES, Verdict.UNKNOWN),
        ((policy(),), Resource.GROUPS, Verdict.FULL),
        ((BY_GROUP,), Resource.GROUPS, Verdict.UNKNOWN),
        ((BY_GROUP,), Resource.GROUP_MEMBERS, Verdict.UNKNOWN),
        ((ALL_BUT_STAFF,), Resource.GROUP_MEMBERS, Verdict.UNKNOWN),
        ((policy("sure"), BY_GROUP), Resource.GROUP_MEMBERS, Verdict.FULL),
        ((policy("sure"), replace(BY_GROUP, grant=BLOCK)), Resource.GROUP_MEMBERS, Verdict.UNKNOWN),
        ((replace(BY_GROUP, state=PolicyState.DISABLED),), Resource.GROUP_MEMBERS, Verdict.NONE),
        ((BY_ROLE,), Resource.DIRECTORY_ROLES, Verdict.UNKNOWN),
        ((BY_ROLE,), Resource.ROLE_MEMBERS, Verdict.UNKNOWN),
        ((BY_ROLE,), Resource.GROUP_MEMBERS, Verdict.NONE),
        ((policy(),), Resource.ROLE_MEMBERS, Verdict.FULL),
        ((policy(),), Resource.NAMED_LOCATIONS, Verdict.FULL),
        ((AWAY,), Resource.NAMED_LOCATIONS, Verdict.UNKNOWN),
        ((replace(AWAY, users=PolicyUsers(include_users=("bob",))),), Resource.NAMED_LOCATIONS, Verdict.NONE),
        ((STRONG,), Resource.AUTHENTICATION_STRENGTHS, Verdict.UNKNOWN),
        ((TOLD_STRONG,), Resource.AUTHENTICATION_STRENGTHS, Verdict.FULL),
        ((TOLD_WEAK,), Resource.AUTHENTICATION_STRENGTHS, Verdict.NONE),
        ((policy(),), Resource.AUTHENTICATION_STRENGTHS, Verdict.FULL),
        ((policy(),), Resource.SECURITY_DEFAULTS, Verdict.FULL),
        ((), Resource.SECURITY_DEFAULTS, Verdict.UNKNOWN),
    ],
)
def test_an_unread_input_is_cannot_tell_where_it_could_change_the_verdict(
    policies: tuple[ConditionalAccessPolicy, ...], resource: Resource, verdict: Verdict
) -> None:
    covered = ada(tenant(*policies, groups=(STAFF,), unread={resource: "no consent"}))

    assert covered.verdict is verdict
    assert covered.input_missing is (verdict is Verdict.UNKNOWN)
    assert ("no consent" in covered.because) is (verdict is Verdict.UNKNOWN)


def test_roles_through_groups_need_the_members_of_role_assignable_groups() -> None:
    graph = tenant(BY_ROLE, groups=(ADMINS,), unread={Resource.GROUP_MEMBERS: "no consent"})

    assert ada(graph).verdict is Verdict.UNKNOWN


def test_an_authentication_strength_that_is_gone_is_cannot_tell_for_those_in_scope() -> None:
    covered = ada(tenant(STRONG))

    assert covered.verdict is Verdict.UNKNOWN
    assert not covered.input_missing


def test_a_policy_that_would_leave_the_user_out_even_if_enabled_is_no_reason() -> None:
    trial = policy(users=excluding(exclude_users=("ada",)), state=PolicyState.REPORT_ONLY)

    assert ada(tenant(trial)).reasons == ("no_mfa_policy",)
