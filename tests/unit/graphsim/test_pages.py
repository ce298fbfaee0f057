"""A capture holds a whole tenant under the names the pipeline files them by."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import msgspec
import pytest

from graphsim.directory.tenants import Json
from graphsim.pages import capture_pages
from tests.unit.graphsim.conftest import NOW, Answer, MakeWorld, World

ALWAYS = {
    "users",
    "groups",
    "groupMembers",
    "directoryRoles",
    "directoryRoleMembers",
    "conditionalAccessPolicies",
    "namedLocations",
    "authenticationStrengthPolicies",
    "subscribedSkus",
    "directorySubscriptions",
    "roleAssignments",
    "roleDefinitions",
    "applications",
    "organization",
    "securityDefaults",
}


class Body(msgspec.Struct):
    value: list[Json]


def captured(world: World) -> dict[str, dict[str, list[Json]]]:
    found: defaultdict[str, defaultdict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    for resource, parent, body in capture_pages(world.state):
        found[resource][parent] += msgspec.json.decode(body, type=Body).value
    return {resource: dict(parents) for resource, parents in found.items()}


def test_a_capture_holds_every_resource_once_read_to_its_end(make_world: MakeWorld) -> None:
    world = make_world(1, 1200)

    found = captured(world)

    assert set(found) == ALWAYS | {"userRegistrationDetails"}
    assert len(found["users"][""]) == 1200
    assert set(found["groupMembers"]) == {str(body["id"]) for body in found["groups"][""]}
    assert set(found["directoryRoleMembers"]) == {str(body["id"]) for body in found["directoryRoles"][""]}
    assert [body["isEnabled"] for body in found["securityDefaults"][""]] == [False]


def test_user_pages_hold_500_users_with_their_sign_in_activity(make_world: MakeWorld) -> None:
    pages = [
        msgspec.json.decode(body, type=Answer)
        for resource, _, body in capture_pages(make_world(1, 1200).state)
        if resource == "users"
    ]

    assert [len(page.value) for page in pages] == [500, 500, 200]
    assert [page.link is not None for page in pages] == [True, True, False]
    assert any("signInActivity" in body for body in pages[0].value)


def test_members_equal_what_the_server_answers(make_world: MakeWorld) -> None:
    world = make_world(1)

    for group_id, members in captured(world)["groupMembers"].items():
        assert members == world.all(f"groups/{group_id}/members?$select=id&$top=999")


def test_without_a_premium_licence_activity_and_registration_are_left_out(make_world: MakeWorld) -> None:
    found = captured(make_world(3))

    assert set(found) == ALWAYS
    assert not any("signInActivity" in body for body in found["users"][""])


@pytest.mark.parametrize("days", [0, 400])
def test_another_day_can_be_given(make_world: MakeWorld, days: int) -> None:
    tenant = make_world(0).state.tenant

    same = list(capture_pages(tenant, NOW + timedelta(days=days))) == list(capture_pages(tenant))

    assert same == (days == 0)
