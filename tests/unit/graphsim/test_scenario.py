"""What a scenario changes is what readers then see, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from graphsim.directory import groups
from graphsim.policies.conditional_access import policy_id
from graphsim.trouble.fault_rules import FaultBody
from graphsim.world import scenario
from graphsim.world.targets import ScenarioError
from tests.unit.graphsim.conftest import MakeWorld, World


def read_user(world: World, number: int) -> dict[str, object]:
    select = "id,accountEnabled,createdDateTime,signInActivity"
    raw = world.raw(f"users/{world.state.tenant.user_id(number)}?$select={select}")
    return msgspec.json.decode(raw, type=dict[str, object])


def test_a_policy_can_be_switched_off_and_says_when(make_world: MakeWorld) -> None:
    world = make_world(0)
    before = world.all("identity/conditionalAccess/policies")
    target = policy_id(world.state.tenant, 1)

    scenario.change_policy(world.state, target, scenario.PolicyChange(state="disabled"))

    after = world.all("identity/conditionalAccess/policies")
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(body["id"], body["state"], body["modifiedDateTime"]) for body in changed] == [
        (target, "disabled", "2026-09-01T00:00:00Z")
    ]


def test_a_user_can_be_blocked_and_can_sign_in(make_world: MakeWorld) -> None:
    world = make_world(1)
    user_id = world.state.tenant.user_id(20)
    at = datetime(2026, 9, 2, 8, 30, tzinfo=UTC)

    scenario.change_user(world.state, user_id, scenario.UserBody(enabled=False))
    scenario.change_user(world.state, user_id, scenario.UserBody(signed_in=at))

    user = read_user(world, 20)
    assert user["accountEnabled"] is False
    activity = msgspec.convert(user["signInActivity"], dict[str, str])
    assert activity["lastSuccessfulSignInDateTime"] == "2026-09-02T08:30:00Z"
    assert activity["lastSignInDateTime"] == "2026-09-02T08:30:00Z"


def test_a_new_user_is_enabled_unlicensed_and_listed_last_and_in_its_department(make_world: MakeWorld) -> None:
    world = make_world(1)
    seats = world.all("subscribedSkus")

    user_id = scenario.create_user(world.state)

    listed = world.all("users?$select=id,accountEnabled,assignedLicenses,createdDateTime&$top=999")
    assert listed[-1] == {
        "id": user_id,
        "accountEnabled": True,
        "assignedLicenses": [],
        "createdDateTime": "2026-09-01T00:00:00Z",
    }
    assert "signInActivity" not in read_user(world, 200)
    assert world.all("subscribedSkus") == seats
    department = groups.FIRST_DEPARTMENT + world.state.tenant.population.department(200)
    members = world.all(f"groups/{world.state.tenant.group_id(department)}/members?$select=id&$top=999")
    assert user_id in {body["id"] for body in members}


def test_a_removed_user_is_nowhere_and_its_seats_are_free(make_world: MakeWorld) -> None:
    world = make_world(1)
    licensed = next(
        body for body in world.all("users?$select=id,assignedLicenses&$top=999") if body["assignedLicenses"]
    )
    before = {body["skuId"]: body["consumedUnits"] for body in world.all("subscribedSkus")}
    held = {str(each["skuId"]) for each in msgspec.convert(licensed["assignedLicenses"], list[dict[str, object]])}

    scenario.remove_user(world.state, str(licensed["id"]))

    after = {body["skuId"]: body["consumedUnits"] for body in world.all("subscribedSkus")}
    assert {sku for sku in before if after[sku] != before[sku]} == held
    everywhere = [world.all("users?$top=999")] + [
        world.all(f"groups/{group['id']}/members?$top=999") for group in world.all("groups?$top=999")
    ]
    assert licensed["id"] not in {body["id"] for bodies in everywhere for body in bodies}
    with pytest.raises(ScenarioError, match="no user"):
        scenario.remove_user(world.state, str(licensed["id"]))


def test_seats_can_be_bought(make_world: MakeWorld) -> None:
    world = make_world(1)
    (overused,) = world.state.tenant.posture.overused

    scenario.set_units(world.state, overused, scenario.Units(enabled=500))

    units = {body["skuId"]: body["prepaidUnits"] for body in world.all("subscribedSkus")}
    assert units[overused] == {"enabled": 500, "suspended": 0, "warning": 0, "lockedOut": 0}


def test_impossible_changes_are_refused_with_a_reason(make_world: MakeWorld) -> None:
    state = make_world(0).state
    with pytest.raises(ScenarioError, match="no policy"):
        scenario.change_policy(state, "nonsense", scenario.PolicyChange(state="disabled"))
    with pytest.raises(ScenarioError, match="one of disabled"):
        scenario.change_policy(state, policy_id(state.tenant, 0), scenario.PolicyChange(state="off"))
    with pytest.raises(ScenarioError, match="no subscription"):
        scenario.set_units(state, "nonsense", scenario.Units(enabled=1))
    with pytest.raises(ScenarioError, match="0 or more"):
        scenario.set_units(state, state.tenant.posture.desk.id, scenario.Units(enabled=-1))
    with pytest.raises(ScenarioError, match="400 to 599"):
        scenario.add_fault(state, FaultBody(status=200))
    naive = scenario.UserBody(signed_in=datetime(2026, 9, 1))  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ScenarioError, match="time zone"):
        scenario.change_user(state, state.tenant.user_id(1), naive)
