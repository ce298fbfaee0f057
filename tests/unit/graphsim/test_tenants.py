"""Tenants are pure functions of seed, number, size and day, and cost nothing until looked at."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest

from graphsim.directory.tenants import generate, tenant_index
from graphsim.directory.users import user
from graphsim.pages import capture_pages
from graphsim.reading.reads import Place, users
from graphsim.simulator import SimulatorConfig, start
from graphsim.world.state import TenantState
from tests.unit.graphsim.conftest import NOW, MakeWorld


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(make_world: MakeWorld) -> None:
    first, again, other = (make_world(1, 150, seed).state for seed in ("a", "a", "b"))

    assert list(capture_pages(first)) == list(capture_pages(again))
    assert next(capture_pages(first)) != next(capture_pages(other))


def test_a_user_does_not_depend_on_how_many_others_there_are(make_world: MakeWorld) -> None:
    small, large = make_world(2, 200).state.tenant, make_world(2, 90_000).state.tenant

    assert [user(small, number) for number in range(200)] == [user(large, number) for number in range(200)]


def test_dates_move_with_the_day_and_nothing_else_does(make_world: MakeWorld) -> None:
    tenant = make_world(0).state.tenant
    later = replace(tenant, now=NOW + timedelta(days=1))

    before, after = user(tenant, 50), user(later, 50)

    assert before["createdDateTime"] != after["createdDateTime"]
    assert {name: before[name] for name in ("id", "userPrincipalName")} == {
        name: after[name] for name in ("id", "userPrincipalName")
    }


def test_the_last_page_of_a_million_users_needs_no_list_of_them() -> None:
    tracemalloc.start()
    try:
        state = TenantState(tenant=generate(seed="tests", index=1, size=1_000_000, now=NOW))
        last = [body for _, body in users(state, Place(start=999_500))]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(last) == 500
    assert peak < 20_000_000


def test_ids_and_principal_names_are_unique_past_the_end_of_the_name_lists(make_world: MakeWorld) -> None:
    bodies = [body for _, body in users(make_world(1, 13_000).state, Place())]

    assert len({body["id"] for body in bodies}) == 13_000
    assert len({body["userPrincipalName"] for body in bodies}) == 13_000


def test_tenants_have_ids_and_domains_of_their_own_and_are_found_by_id() -> None:
    simulator = start(SimulatorConfig(tenants=900, users=10, now=NOW))
    tenants = [simulator.state(index).tenant for index in range(900)]

    assert len({tenant.id for tenant in tenants}) == 900
    assert len({tenant.domain for tenant in tenants}) == 900
    assert len({tenant.client_secret for tenant in tenants}) == 900
    assert all(tenant.domain.endswith(".example") for tenant in tenants)
    assert [tenant_index(simulator.config.seed, tenant.id) for tenant in islice(tenants, 5)] == [0, 1, 2, 3, 4]


def test_tenants_past_the_last_do_not_exist() -> None:
    simulator = start(SimulatorConfig(tenants=2, users=(10, 20), now=NOW))
    third = start(SimulatorConfig(tenants=3, users=10, now=NOW)).id_of(2)

    assert [simulator.state(index).tenant.size for index in range(2)] == [10, 20]
    assert simulator.find(third) is None
    assert simulator.find("2") is None
    with pytest.raises(IndexError, match="no 2"):
        simulator.state(2)


@pytest.mark.parametrize("size", [0, 1, 3, 7, 9])
def test_tiny_tenants_can_be_read_whole(make_world: MakeWorld, size: int) -> None:
    for index in range(7):
        state = make_world(index, size).state
        known = {state.tenant.user_id(number) for number in range(size)}
        read = {resource for resource, _, _ in capture_pages(state)}

        assert {body["id"] for _, body in users(state, Place())} == known
        assert {"users", "groups", "directoryRoles", "securityDefaults"} <= read
