"""Every word of the vocabulary changes what readers see, is logged once and refuses what can't be."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import pytest

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError
from graphsim.world import mutations, scenario
from graphsim.world.changes import Kind, Resource
from graphsim.world.mutations import ACTIONS, Mutation
from graphsim.world.targets import ScenarioError
from tests.unit.graphsim.conftest import MakeWorld, World

POLICIES = "identity/conditionalAccess/policies"
REGISTRATIONS = "reports/authenticationMethods/userRegistrationDetails?$top=999"


def do(world: World, action: str, key: str | int = "", **values: object) -> str:
    return str(mutations.apply(world.state, Mutation(action, key, dict(values)))["id"])


def user(world: World, number: int, select: str) -> Json:
    raw = world.raw(f"users/{world.state.tenant.user_id(number)}?$select={select}")
    body = msgspec.json.decode(raw, type=dict[str, object])
    return {name: value for name, value in body.items() if not name.startswith("@")}


def sign_ins(world: World, number: int) -> Mapping[str, str | None]:
    return msgspec.convert(user(world, number, "signInActivity").get("signInActivity", {}), dict[str, str | None])


def members(world: World, name: str, *, transitive: bool = False) -> set[str]:
    group = next(body["id"] for body in world.all("groups?$top=999") if body["displayName"] == name)
    path = "transitiveMembers" if transitive else "members"
    return {str(body["id"]) for body in world.all(f"groups/{group}/{path}?$select=id&$top=999")}


def holders(world: World, name: str) -> set[str]:
    role = next(body["id"] for body in world.all("directoryRoles") if body["displayName"] == name)
    return {str(body["id"]) for body in world.all(f"directoryRoles/{role}/members?$select=id")}


def consumed(world: World) -> dict[object, object]:
    return {body["skuPartNumber"]: body["consumedUnits"] for body in world.all("subscribedSkus")}


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        ("interactive", {"lastSignInDateTime", "lastSuccessfulSignInDateTime"}),
        ("failed", {"lastSignInDateTime"}),
        ("non_interactive", {"lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime"}),
    ],
)
def test_a_sign_in_moves_what_it_counts_for(make_world: MakeWorld, kind: str, moved: set[str]) -> None:
    world = make_world(0)
    before = sign_ins(world, 50)

    do(world, "sign_in", 50, kind=kind, at="2026-09-02T08:30:00Z")

    after = sign_ins(world, 50)
    assert {name for name in after if before.get(name) != after[name]} == moved
    assert {after[name] for name in moved} == {"2026-09-02T08:30:00Z"}


def test_a_newcomer_who_fails_to_sign_in_has_no_success(make_world: MakeWorld) -> None:
    world = make_world(0)
    do(world, "create_user")
    do(world, "sign_in", 200, kind="failed")

    assert sign_ins(world, 200)["lastSuccessfulSignInDateTime"] is None
    assert sign_ins(world, 200)["lastSignInDateTime"] == "2026-09-01T00:00:00Z"


def test_licences_move_and_seats_follow(make_world: MakeWorld) -> None:
    world = make_world(1)
    before = consumed(world)
    desk = world.state.tenant.posture.desk.part_number
    has = {number: bool(user(world, number, "assignedLicenses")["assignedLicenses"]) for number in range(20, 100)}
    holder, other = (next(number for number in has if has[number] is wanted) for wanted in (True, False))
    held = msgspec.convert(user(world, holder, "assignedLicenses")["assignedLicenses"], list[dict[str, object]])

    do(world, "take_license", holder, sku=str(held[0]["skuId"]))
    do(world, "give_license", other, sku=desk)
    do(world, "give_license", other, sku=desk)

    left = msgspec.convert(user(world, holder, "assignedLicenses")["assignedLicenses"], list[dict[str, object]])
    assert left == held[1:]
    given = user(world, other, "assignedLicenses,licenseAssignmentStates")
    assert len(msgspec.convert(given["assignedLicenses"], list[object])) == 1
    assert msgspec.convert(given["licenseAssignmentStates"], list[dict[str, object]])[0]["assignedByGroup"] is None
    taken = next(sku.part_number for sku in world.state.products if sku.id == held[0]["skuId"])
    expected = dict(before)
    expected[taken] = int(str(expected[taken])) - 1
    expected[desk] = int(str(expected[desk])) + 1
    assert consumed(world) == expected

    do(world, "delete_user", other)
    expected[desk] = int(str(expected[desk])) - 1
    assert consumed(world) == expected


def test_a_product_can_be_bought_that_was_not_there(make_world: MakeWorld) -> None:
    world = make_world(1)
    new = next(name for name in ("SPE_E5", "SPB", "O365_BUSINESS_ESSENTIALS") if name not in consumed(world))

    do(world, "buy_seats", new, seats=10)
    do(world, "buy_seats", new, seats=5)

    bought = next(body for body in world.all("subscribedSkus") if body["skuPartNumber"] == new)
    assert bought["prepaidUnits"] == {"enabled": 15, "suspended": 0, "warning": 0, "lockedOut": 0}
    assert bought["consumedUnits"] == 0


def test_registering_mfa_shows_in_the_report(make_world: MakeWorld) -> None:
    world = make_world(0)
    without = next(body for body in world.all(REGISTRATIONS) if not body["isMfaRegistered"])

    do(world, "register_mfa", str(without["id"]))

    after = next(body for body in world.all(REGISTRATIONS) if body["id"] == without["id"])
    assert (after["isMfaRegistered"], after["isMfaCapable"]) == (True, True)


def test_groups_are_made_filled_renamed_nested_and_removed(make_world: MakeWorld) -> None:
    world = make_world(1)
    ids = [world.state.tenant.user_id(number) for number in (30, 31)]
    group = do(world, "create_group", name="Night shift")
    do(world, "add_member", "Night shift", user=30)
    do(world, "add_member", "Night shift", group="Legal")
    do(world, "add_member", "Sales", user=ids[1])
    do(world, "add_member", "All Company", group=group)

    assert members(world, "Night shift") == {ids[0], world.state.tenant.group_id(17)}
    assert members(world, "Legal") < members(world, "Night shift", transitive=True)
    assert ids[1] in members(world, "Sales")
    assert ids[0] in members(world, "All Company", transitive=True)

    do(world, "rename_group", group, name="Day shift")
    do(world, "remove_member", group, user=30)
    assert members(world, "Day shift") == {world.state.tenant.group_id(17)}

    do(world, "delete_group", group)
    assert group not in members(world, "All Company")
    with pytest.raises(GraphError, match="does not exist"):
        world.raw(f"groups/{group}")
    do(world, "restore_group", group)
    assert group in members(world, "All Company")
    do(world, "purge_group", group)
    with pytest.raises(ScenarioError, match="recycle bin"):
        do(world, "restore_group", group)


def test_a_deleted_user_leaves_everything_and_comes_back_whole(make_world: MakeWorld) -> None:
    world = make_world(0)
    user_id = world.state.tenant.user_id(2)
    assert user_id in holders(world, "Global Administrator")

    do(world, "delete_user", 2)
    assert user_id not in holders(world, "Global Administrator")
    told = {(change.resource, change.kind) for change in world.state.log.kept}
    assert {(Resource.ROLES, Kind.UPDATED), (Resource.USERS, Kind.DELETED)} <= told

    do(world, "restore_user", 2)
    assert user_id in holders(world, "Global Administrator")
    do(world, "purge_user", 2)
    with pytest.raises(ScenarioError, match="recycle bin"):
        do(world, "restore_user", 2)


def test_roles_are_given_and_taken_and_make_administrators(make_world: MakeWorld) -> None:
    world = make_world(0)
    user_id = world.state.tenant.user_id(60)

    do(world, "add_role_member", "Exchange Administrator", user=60)
    assert user_id in holders(world, "Exchange Administrator")
    assert next(b for b in world.all(REGISTRATIONS) if b["id"] == user_id)["isAdmin"] is True
    do(world, "remove_role_member", "Exchange Administrator", user=60)
    do(world, "remove_role_member", "Exchange Administrator", user=4)

    assert holders(world, "Exchange Administrator") == set()
    assert next(b for b in world.all(REGISTRATIONS) if b["id"] == user_id)["isAdmin"] is False


def test_policies_change_state_exclude_and_go(make_world: MakeWorld) -> None:
    world = make_world(0)
    names = [str(body["displayName"]) for body in world.all(POLICIES)]

    for action, state in (
        ("disable_policy", "disabled"),
        ("report_only_policy", "enabledForReportingButNotEnforced"),
        ("enable_policy", "enabled"),
    ):
        do(world, action, names[1])
        assert world.all(POLICIES)[1]["state"] == state
    do(world, "exclude_from_policy", names[1], user=20)
    do(world, "exclude_from_policy", names[1], group="Sales")
    do(world, "delete_policy", names[0])

    left = world.all(POLICIES)
    conditions = msgspec.convert(left[0]["conditions"], dict[str, object])
    excluded = msgspec.convert(conditions["users"], dict[str, object])
    assert [body["displayName"] for body in left] == names[1:]
    assert excluded["excludeUsers"] == [world.state.tenant.user_id(20)]
    assert world.state.tenant.group_id(9) in msgspec.convert(excluded["excludeGroups"], list[str])


def test_doing_what_is_done_already_changes_nothing(make_world: MakeWorld) -> None:
    world = make_world(1)
    do(world, "add_member", "Legal", user=30)
    last = world.state.log.last

    do(world, "add_member", "Legal", user=30)
    do(world, "remove_role_member", "Global Reader", user=30)

    assert world.state.log.last == last


@pytest.mark.parametrize(
    ("action", "key", "values", "reason"),
    [
        ("fly", "", {}, "no action 'fly': one of add_member"),
        ("disable_user", "", {}, "disable_user needs the id of a user"),
        ("create_user", "5", {}, "takes no id"),
        ("disable_user", "999", {}, "no user '999'"),
        ("disable_user", "nobody", {}, "no user 'nobody'"),
        ("restore_user", "5", {}, "no user '5' in its recycle bin"),
        ("sign_in", "5", {"kind": "odd"}, "sign_in: Invalid enum value 'odd'"),
        ("sign_in", "5", {"at": "2026-09-01T08:00:00"}, "needs a time zone"),
        ("create_group", "", {}, "missing required field `name`"),
        ("create_group", "", {"name": "x", "more": 1}, "unknown field `more`"),
        ("add_member", "Legal", {}, "either user or group"),
        ("add_member", "Legal", {"group": "Legal"}, "a member of itself"),
        ("add_member", "Sales", {"group": "All Company"}, "a member of itself"),
        ("add_member", "Nowhere", {"user": 5}, "no group 'Nowhere'"),
        ("add_role_member", "King", {"user": 5}, "no role 'King'"),
        ("disable_policy", "Nothing", {}, "no policy 'Nothing'"),
        ("give_license", "5", {"sku": "XYZ"}, "no subscription to 'XYZ'"),
        ("buy_seats", "XYZ", {"seats": 1}, "no product 'XYZ'"),
        ("set_seats", "XYZ", {"seats": -1}, "Expected `int` >= 0"),
        ("send_lifecycle", "", {"event": "missed"}, "no subscription"),
    ],
)
def test_what_can_not_be_is_refused_in_a_sentence(
    make_world: MakeWorld, action: str, key: str, values: dict[str, object], reason: str
) -> None:
    world = make_world(0)

    with pytest.raises(ScenarioError, match=re.escape(reason)):
        do(world, action, key, **values)

    assert world.state.log.last == 0


def test_the_vocabulary_is_said_once_and_explained() -> None:
    names = [action.name for action in ACTIONS]

    assert len(set(names)) == len(names)
    assert all(action.about.endswith(".") for action in ACTIONS)


def test_the_older_routes_are_logged_too(make_world: MakeWorld) -> None:
    world = make_world(0)
    scenario.change_user(world.state, world.state.tenant.user_id(9), scenario.UserBody(enabled=False))

    assert [(change.resource, change.properties) for change in world.state.log.kept] == [
        (Resource.USERS, frozenset({"accountEnabled"}))
    ]
