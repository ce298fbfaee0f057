"""Totals by arithmetic are those of walking through."""

from __future__ import annotations

import pytest

from graphsim.protocol.counting import enabled_users
from graphsim.world import user_mutations
from tests.unit.graphsim.conftest import MakeWorld

DETAILS = "reports/authenticationMethods/userRegistrationDetails"


@pytest.mark.parametrize("size", [1, 99, 100, 257, 1200])
def test_the_count_of_enabled_users_is_that_of_the_list(make_world: MakeWorld, size: int) -> None:
    world = make_world(0, size)

    walked = [body for body in world.all("users?$select=accountEnabled") if body["accountEnabled"]]

    assert enabled_users(world.state) == len(walked) == world.get(f"{DETAILS}?$count=true").count


def test_the_count_follows_who_comes_goes_and_is_blocked(make_world: MakeWorld) -> None:
    world = make_world(0, 300)
    state = world.state
    enabled = [number for number in range(300) if state.user(number)["accountEnabled"]]
    disabled = sorted(set(range(300)) - set(enabled))

    user_mutations.enable(state, enabled[0], enabled=False)
    user_mutations.delete(state, enabled[1])
    user_mutations.delete(state, disabled[0])
    user_mutations.enable(state, disabled[1], enabled=True)
    user_mutations.enable(state, enabled[2], enabled=True)
    gone, blocked, _ = (user_mutations.create_user(state) for _ in range(3))
    user_mutations.delete(state, gone)
    user_mutations.enable(state, blocked, enabled=False)

    assert enabled_users(state) == len(enabled) - 2 + 1 + 1
    assert world.get(f"{DETAILS}?$count=true").count == enabled_users(state) == len(world.all(DETAILS))


@pytest.mark.parametrize("members", ["members", "transitiveMembers"])
@pytest.mark.parametrize("cast", ["", "/microsoft.graph.user", "/microsoft.graph.group"])
def test_the_count_of_members_is_that_of_the_list(make_world: MakeWorld, members: str, cast: str) -> None:
    world = make_world(0, 400)
    world.state.removed |= {5, 100, 399}

    for number in range(12):
        url = f"groups/{world.state.tenant.group_id(number)}/{members}{cast}?$count=true&$select=id"
        assert world.get(url, eventual=True).count == len(world.all(url, eventual=True))
