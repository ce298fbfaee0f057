"""A client that follows delta links ends up with what a full read gives, whatever happened in between."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphsim.deltas import rounds
from graphsim.directory.groups import department_group
from graphsim.directory.roles import role_object_id, role_plans
from graphsim.directory.tenants import Json
from graphsim.world import mutations
from graphsim.world.mutations import Mutation
from graphsim.world.targets import ScenarioError
from tests.unit.graphsim.following import Client, client


def happenings(world: Client) -> None:
    """A busy day."""
    user, again = world.do("create_user"), world.do("create_user")
    world.do("disable_user", 20)
    world.do("enable_user", 20)
    world.do("disable_user", 21)
    world.do("delete_user", 22)
    world.do("delete_user", 23)
    world.do("restore_user", 23)
    world.do("purge_user", 24)
    world.do("delete_user", again)
    group = world.do("create_group", name="Night shift")
    world.do("add_member", group, user=user)
    world.do("add_member", group, user=30)
    world.do("add_member", group, group="Sales")
    world.do("remove_member", group, user=30)
    world.do("rename_group", "All Company", name="Everyone")
    world.do("delete_group", "Finance")
    world.do("delete_group", "Legal")
    world.do("restore_group", department_group("Legal"))
    world.do("remove_member", "Marketing", user=next(iter(in_group(world, "Marketing"))))
    world.do("add_role_member", "Global Reader", user=user)
    world.do("remove_role_member", "Global Administrator", user=2)


def in_group(world: Client, name: str) -> list[str]:
    groups = {body["displayName"]: str(body["id"]) for body in world.listed("groups")}
    members = world.listed(f"groups/{groups[name]}/members?$select=id&$top=999")
    return [str(body["id"]) for body in members if body["@odata.type"] == "#microsoft.graph.user"]


def holds_what_a_full_read_gives(world: Client, resource: str, select: str) -> None:
    paging = "" if resource == "directoryRoles" else "&$top=999"
    wanted = {str(body["id"]): body for body in world.listed(f"{resource}?$select={select}{paging}")}
    assert world.stored == wanted
    if resource == "users":
        return
    for key in wanted:
        listed = world.listed(f"{resource}/{key}/members?$select=id{paging}")
        assert world.members[key] == {str(body["id"]) for body in listed}


@pytest.mark.parametrize("disorder", [False, True])
@pytest.mark.parametrize("prefer", ["", "odata.maxpagesize=7"])
@pytest.mark.parametrize(
    ("resource", "select"),
    [
        ("users", "id,accountEnabled,displayName"),
        ("groups", "id,displayName,members"),
        ("directoryRoles", "id,displayName,members"),
    ],
)
def test_following_the_links_gives_what_a_full_read_gives(
    resource: str, select: str, prefer: str, *, disorder: bool
) -> None:
    world = client(prefer=prefer)
    world.do("delta_disorder", on=disorder)
    plain = select.removesuffix(",members")
    link, _ = world.round(f"{resource}/delta?$select={select}")
    holds_what_a_full_read_gives(world, resource, plain)

    happenings(world)
    link, _ = world.round(link)
    holds_what_a_full_read_gives(world, resource, plain)

    world.do("disable_user", 40)
    world.do("add_member", "Everyone", user=40)
    world.round(link)
    holds_what_a_full_read_gives(world, resource, plain)


USERS, GROUPS, ROLES = st.integers(0, 41), st.integers(0, 27), st.sampled_from(["Global Reader", "User Administrator"])
HAPPENINGS = st.one_of(
    st.tuples(st.sampled_from(["disable_user", "delete_user", "restore_user", "purge_user"]), USERS, st.none()),
    st.tuples(st.sampled_from(["delete_group", "restore_group", "purge_group"]), GROUPS, st.none()),
    st.tuples(st.sampled_from(["add_member", "remove_member"]), GROUPS, st.one_of(USERS, GROUPS.map(str))),
    st.tuples(st.sampled_from(["add_role_member", "remove_role_member"]), ROLES, st.one_of(USERS, GROUPS.map(str))),
    st.tuples(st.just("create_user"), st.just(""), st.none()),
    st.tuples(st.just("follow"), st.just(""), st.none()),
)


@settings(max_examples=100, deadline=None)
@given(
    happened=st.lists(HAPPENINGS, max_size=25),
    disorder=st.booleans(),
    prefer=st.sampled_from(["", "odata.maxpagesize=3"]),
)
def test_whatever_happens_followers_are_right(
    *, happened: list[tuple[str, str | int, int | str | None]], disorder: bool, prefer: str
) -> None:
    state = client(size=40).state
    state.delta_disorder = disorder
    selects = {"users": "id,accountEnabled", "groups": "id,members", "directoryRoles": "id,members"}
    worlds = {resource: Client(state=state, prefer=prefer) for resource in selects}
    links = {name: f"{name}/delta?$select={select}" for name, select in selects.items()}
    for action, key, who in [*happened, ("follow", "", None)]:
        if action == "follow":
            links = {name: worlds[name].round(link)[0] for name, link in links.items()}
            continue
        values = {} if who is None else {"group" if isinstance(who, str) else "user": who}
        with suppress(ScenarioError):  # what can't be does not happen
            mutations.apply(state, Mutation(action, key, dict(values)))

    for name, world in worlds.items():
        holds_what_a_full_read_gives(world, name, selects[name].removesuffix(",members"))


def test_changes_in_the_middle_of_the_first_round_are_told_in_the_next() -> None:
    world = client(prefer="odata.maxpagesize=50")
    first = world.page("users/delta?$select=id,accountEnabled")
    for body in first.value:
        world.merge(body)
    world.do("disable_user", 3)
    world.do("delete_user", 100)

    link, _ = world.round(first.next_link)
    world.round(link)

    holds_what_a_full_read_gives(world, "users", "id,accountEnabled")


def test_a_later_round_tells_only_what_concerns_the_selected_properties() -> None:
    world = client()
    link, _ = world.round("users/delta?$select=id,displayName")
    state = world.page("users/delta?$select=accountEnabled&$deltatoken=latest").delta_link
    world.do("disable_user", 20)
    world.do("sign_in", 21)

    assert world.round(link)[1] == []
    assert world.round(state)[1] == [{"accountEnabled": False, "id": world.state.tenant.user_id(20)}]


def test_a_deleted_user_can_be_restored_and_a_purged_one_can_not() -> None:
    world = client()
    link = world.page("users/delta?$select=id&$deltatoken=latest").delta_link
    world.do("delete_user", 5)
    world.do("purge_user", 6)

    _, told = world.round(link)

    reasons = {body["id"]: body["@removed"] for body in told}
    assert reasons == {
        world.state.tenant.user_id(5): {"reason": "changed"},
        world.state.tenant.user_id(6): {"reason": "deleted"},
    }


def test_a_restored_group_comes_with_all_its_members() -> None:
    world = client()
    link, _ = world.round("groups/delta?$select=id,members")
    world.do("delete_group", "Sales")
    link, told = world.round(link)
    assert {"id": world.state.tenant.group_id(9), "@removed": {"reason": "changed"}} in told

    world.do("restore_group", 9)
    world.round(link)

    holds_what_a_full_read_gives(world, "groups", "id")


def test_members_come_and_go_with_their_types() -> None:
    world = client()
    link = world.page("directoryRoles/delta?$deltatoken=latest").delta_link
    world.do("add_role_member", "Global Reader", user=50)
    world.do("add_role_member", "Global Reader", group="Sales")
    world.do("remove_role_member", "Global Reader", user=5)

    _, told = world.round(link)

    reader = next(plan for plan in role_plans(world.state.tenant) if plan.name == "Global Reader")
    assert [body["id"] for body in told] == [role_object_id(world.state.tenant, reader)]
    assert told[0]["members@delta"] == [
        {"@odata.type": "#microsoft.graph.user", "id": world.state.tenant.user_id(50)},
        {"@odata.type": "#microsoft.graph.group", "id": world.state.tenant.group_id(9)},
        {
            "@odata.type": "#microsoft.graph.user",
            "id": world.state.tenant.user_id(5),
            "@removed": {"reason": "deleted"},
        },
    ]


def test_a_large_group_comes_again_with_more_of_its_members() -> None:
    world = client(size=9_000)
    link = "groups/delta?$select=id,members"
    pages: list[list[Json]] = []
    while link:
        page = world.page(link)
        pages.append(page.value)
        for body in page.value:
            world.merge(body)
        link = page.next_link

    sizes = [sum(len(msgspec.convert(b.get("members@delta", []), list[Json])) for b in page) for page in pages]
    sales = world.state.tenant.group_id(9)
    assert max(sizes) == rounds.MEMBERS_A_PAGE
    assert sum(sales in {body["id"] for body in page} for page in pages) > 1
    assert len(world.members[sales]) == len(in_group(world, "Sales"))


def test_disorder_repeats_and_replays_the_same_way_every_time() -> None:
    told = []
    for _ in range(2):
        world = client()
        world.do("disable_user", 10)
        link = world.page("users/delta?$select=accountEnabled&$deltatoken=latest").delta_link
        world.do("delta_disorder", on=True)
        for number in range(20, 30):
            world.do("disable_user", number)
        told.append([body["id"] for body in world.round(link)[1]])

    tenant = client().state.tenant
    assert told[0] == told[1]
    assert set(told[0]) == {tenant.user_id(number) for number in (10, *range(20, 30))}
    assert len(told[0]) > 11
    assert told[0] != sorted(told[0], key=lambda key: tenant.user_number(str(key)) or 0)


def test_minimal_answers_leave_out_what_is_the_same() -> None:
    world = client(prefer="return=minimal")
    link = world.page("users/delta?$select=displayName,accountEnabled&$deltatoken=latest").delta_link
    world.do("disable_user", 20)

    assert world.round(link)[1] == [{"accountEnabled": False, "id": world.state.tenant.user_id(20)}]


def test_nobody_pages_through_members_twice_when_one_leaves_in_between() -> None:
    world = client()
    everyone = in_group(world, "Sales")
    sales = world.state.tenant.group_id(9)
    first = world.page(f"groups/{sales}/members?$select=id&$top=5")
    world.do("add_member", sales, group="Legal")
    world.do("remove_member", sales, user=everyone[0])

    rest = world.listed(first.next_link)

    assert [str(body["id"]) for body in [*first.value, *rest]] == everyone
