"""The postures' policies say what the demo promises of them."""

from __future__ import annotations

import msgspec
import pytest

from graphsim.directory import groups
from graphsim.policies.access import STRENGTH_MFA
from tests.unit.graphsim.conftest import MakeWorld, World


class Users(msgspec.Struct, rename="camel"):
    include_users: list[str]
    exclude_users: list[str]
    include_groups: list[str]
    exclude_groups: list[str]
    include_roles: list[str]
    exclude_roles: list[str]


class Applications(msgspec.Struct, rename="camel"):
    exclude_applications: list[str]


class Locations(msgspec.Struct, rename="camel"):
    include_locations: list[str]
    exclude_locations: list[str]


class Conditions(msgspec.Struct, rename="camel"):
    users: Users
    applications: Applications
    locations: Locations | None


class Strength(msgspec.Struct, rename="camel"):
    id: str
    requirements_satisfied: str


class Grant(msgspec.Struct, rename="camel"):
    operator: str
    built_in_controls: list[str]
    authentication_strength: Strength | None


class Policy(msgspec.Struct, rename="camel"):
    id: str
    state: str
    conditions: Conditions
    grant_controls: Grant | None

    @property
    def wants_mfa(self) -> bool:
        grant = self.grant_controls
        return grant is not None and ("mfa" in grant.built_in_controls or grant.authentication_strength is not None)


def policies(world: World) -> list[Policy]:
    return msgspec.convert(world.all("identity/conditionalAccess/policies"), list[Policy])


@pytest.mark.parametrize("index", range(7))
def test_policies_name_only_objects_that_exist(make_world: MakeWorld, index: int) -> None:
    world = make_world(index)
    known_groups = {str(body["id"]) for body in world.all("groups?$top=999")}
    locations = {str(body["id"]) for body in world.all("identity/conditionalAccess/namedLocations")}

    for policy in policies(world):
        users = policy.conditions.users
        assert {*users.include_groups, *users.exclude_groups} <= known_groups
        assert all(world.state.tenant.user_number(each) is not None for each in users.exclude_users)
        if policy.conditions.locations:
            assert {*policy.conditions.locations.exclude_locations} <= locations | {"AllTrusted"}


@pytest.mark.parametrize("index", [0, 1, 5])
def test_break_glass_accounts_are_excluded_from_everything_that_is_enforced(make_world: MakeWorld, index: int) -> None:
    world = make_world(index)
    group_id = world.state.tenant.group_id(groups.BREAK_GLASS)

    enforced = [policy for policy in policies(world) if policy.state == "enabled"]

    assert enforced
    assert all(group_id in policy.conditions.users.exclude_groups for policy in enforced)


def test_the_report_only_tenant_has_mfa_policies_and_none_of_them_enforced(make_world: MakeWorld) -> None:
    mfa = [policy.state for policy in policies(make_world(2)) if policy.wants_mfa]

    assert sorted(mfa) == ["disabled", "enabledForReportingButNotEnforced"]
    assert "enabled" in {policy.state for policy in policies(make_world(2))}


def test_the_first_tenant_enforces_mfa_for_all_users_and_applications(make_world: MakeWorld) -> None:
    plain = [
        policy
        for policy in policies(make_world(0))
        if policy.wants_mfa
        and policy.state == "enabled"
        and policy.conditions.users.include_users == ["All"]
        and not policy.conditions.locations
        and not policy.conditions.applications.exclude_applications
    ]

    assert len(plain) == 1


def test_gaps_are_trusted_locations_in_one_tenant_and_an_application_in_another(make_world: MakeWorld) -> None:
    trusted = [p for p in policies(make_world(1)) if p.conditions.locations and p.wants_mfa]
    left_out = [p for p in policies(make_world(5)) if p.conditions.applications.exclude_applications]

    assert [p.conditions.locations and p.conditions.locations.exclude_locations for p in trusted] == [["AllTrusted"]]
    assert [p.grant_controls and p.grant_controls.authentication_strength for p in left_out] == [
        Strength(id=STRENGTH_MFA, requirements_satisfied="mfa")
    ]


def test_the_pilot_tenant_has_a_policy_where_mfa_is_only_one_alternative(make_world: MakeWorld) -> None:
    alternatives = [
        policy
        for policy in policies(make_world(4))
        if policy.grant_controls
        and policy.grant_controls.operator == "OR"
        and policy.grant_controls.built_in_controls == ["mfa", "compliantDevice"]
    ]

    assert len(alternatives) == 1


def test_security_defaults_are_on_in_one_tenant_that_has_no_policies(make_world: MakeWorld) -> None:
    path = "policies/identitySecurityDefaultsEnforcementPolicy"
    enabled = [msgspec.json.decode(make_world(index).raw(path))["isEnabled"] for index in range(7)]

    assert enabled == [False, False, False, True, False, False, False]
    assert not policies(make_world(3))
    assert not policies(make_world(6))


def test_built_in_strengths_are_microsofts_three(make_world: MakeWorld) -> None:
    strengths = make_world().all("policies/authenticationStrengthPolicies")

    assert [str(body["id"])[-1] for body in strengths] == ["2", "3", "4"]
    assert {body["requirementsSatisfied"] for body in strengths} == {"mfa"}
    assert all(body["allowedCombinations"] for body in strengths)
