"""Group membership, direct and through nesting."""

from __future__ import annotations

import pytest

from graphsim.directory import groups
from graphsim.directory.population import GUESTS, PEOPLE, Kind
from graphsim.directory.tenants import Json
from tests.unit.graphsim.conftest import MakeWorld, World


def members(world: World, number: int, relation: str = "members", query: str = "$select=id&$top=999") -> list[Json]:
    return world.all(f"groups/{world.state.tenant.group_id(number)}/{relation}?{query}")


def users_in(world: World, number: int, relation: str = "members") -> set[str]:
    kind = "#microsoft.graph.user"
    return {str(body["id"]) for body in members(world, number, relation) if body["@odata.type"] == kind}


def ids_of(world: World, kinds: frozenset[Kind]) -> set[str]:
    tenant = world.state.tenant
    return {tenant.user_id(number) for number in range(tenant.size) if tenant.persona(number).kind in kinds}


def test_all_company_holds_groups_only_and_through_them_every_person_once(make_world: MakeWorld) -> None:
    world = make_world(1)

    direct = members(world, groups.ALL_COMPANY)
    inside = members(world, groups.ALL_COMPANY, "transitiveMembers")

    assert {body["@odata.type"] for body in direct} == {"#microsoft.graph.group"}
    assert len({body["id"] for body in inside}) == len(inside)
    assert users_in(world, groups.ALL_COMPANY, "transitiveMembers") == ids_of(world, PEOPLE)


def test_special_groups_hold_exactly_their_kinds(make_world: MakeWorld) -> None:
    world = make_world(1)

    assert users_in(world, groups.BREAK_GLASS) == ids_of(world, frozenset({Kind.BREAK_GLASS}))
    assert users_in(world, groups.SERVICE_ACCOUNTS) == ids_of(world, frozenset({Kind.SERVICE}))
    assert users_in(world, groups.ALL_GUESTS) == ids_of(world, GUESTS)


def test_the_pilot_has_members_through_nested_groups_only(make_world: MakeWorld) -> None:
    world = make_world(4)

    assert not users_in(world, groups.MFA_PILOT)
    departments = ("Information Technology", "Finance")
    assert users_in(world, groups.MFA_PILOT, "transitiveMembers") == {
        user_id for name in departments for user_id in users_in(world, groups.department_group(name))
    }


def test_regions_reach_every_person_through_teams(make_world: MakeWorld) -> None:
    world = make_world(1, 500)

    regions = range(groups.FIRST_REGION, groups.FIRST_TEAM)
    reached = [users_in(world, number, "transitiveMembers") for number in regions]

    assert set().union(*reached) == ids_of(world, PEOPLE)
    assert sum(map(len, reached)) == len(ids_of(world, PEOPLE))


def test_role_assignable_groups_hold_users_and_no_groups(make_world: MakeWorld) -> None:
    world = make_world()
    assignable = [body for body in world.all("groups?$top=999") if body["isAssignableToRole"]]

    assert {body["displayName"] for body in assignable} == {"Role-Helpdesk", "Role-SecurityOperations"}
    for body in assignable:
        inside = world.all(f"groups/{body['id']}/members")
        assert inside
        assert {each["@odata.type"] for each in inside} == {"#microsoft.graph.user"}


def test_the_licence_group_holds_those_whose_licence_says_so(make_world: MakeWorld) -> None:
    world = make_world(1)
    group_id = world.state.tenant.group_id(groups.LICENSED)
    holders = {
        str(body["id"])
        for body in world.all("users?$select=id,licenseAssignmentStates&$top=999")
        if group_id in str(body["licenseAssignmentStates"])
    }

    assert users_in(world, groups.LICENSED) == holders
    assert holders


@pytest.mark.parametrize("relation", ["members", "transitiveMembers"])
@pytest.mark.parametrize("number", [groups.ALL_COMPANY, groups.TRAVELERS, groups.FIRST_REGION, groups.FIRST_DEPARTMENT])
def test_small_pages_give_what_one_page_gives(make_world: MakeWorld, relation: str, number: int) -> None:
    world = make_world(1)

    assert members(world, number, relation, "$select=id&$top=7") == members(world, number, relation)


def test_a_type_cast_keeps_that_type_and_needs_the_consistency_header(make_world: MakeWorld) -> None:
    world = make_world()
    path = f"groups/{world.state.tenant.group_id(groups.TRAVELERS)}/members/microsoft.graph.group"

    cast = world.get(f"{path}?$count=true", eventual=True)

    assert [body["displayName"] for body in cast.value] == ["Sales"]
    assert cast.count == 1


def test_a_user_named_in_several_ways_is_a_member_once(make_world: MakeWorld) -> None:
    tenant = make_world(1).state.tenant
    department = frozenset({tenant.population.department(3)})
    plan = groups.GroupPlan(number=0, name="", users=(3,), departments=department, span=range(10))

    numbers = list(groups.user_numbers(tenant, plan, 0, tenant.size))

    assert numbers.count(3) == 1
    assert numbers == sorted(set(numbers))
