"""Seats add up: consumed units are the assignments there are."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from graphsim.directory.catalog import P1_PLAN, WINDOWS_STORE
from graphsim.directory.tenants import Json
from tests.unit.graphsim.conftest import MakeWorld, World


class Units(msgspec.Struct):
    enabled: int
    warning: int


class Plan(msgspec.Struct, rename="camel"):
    service_plan_id: str


class Subscribed(msgspec.Struct, rename="camel"):
    sku_id: str
    applies_to: str
    consumed_units: int
    prepaid_units: Units
    service_plans: list[Plan]


class License(msgspec.Struct, rename="camel"):
    sku_id: str


class Assignment(msgspec.Struct, rename="camel"):
    sku_id: str
    assigned_by_group: str | None
    state: str
    error: str


def subscribed(world: World) -> list[Subscribed]:
    return msgspec.convert(world.all("subscribedSkus"), list[Subscribed])


def held(bodies: list[Json], name: str) -> Counter[str]:
    return Counter(one.sku_id for body in bodies for one in msgspec.convert(body[name], list[License]))


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("size", [0, 13, 200, 1234])
def test_consumed_units_equal_the_assignments(make_world: MakeWorld, index: int, size: int) -> None:
    world = make_world(index, size)
    bodies = world.all("users?$select=assignedLicenses,licenseAssignmentStates&$top=999")

    expected = held(bodies, "assignedLicenses")

    assert {sku.sku_id: sku.consumed_units for sku in subscribed(world)} == {
        sku.sku_id: expected[sku.sku_id] for sku in subscribed(world)
    }
    assert held(bodies, "licenseAssignmentStates") == expected


@pytest.mark.parametrize("index", range(7))
def test_only_the_skus_meant_to_be_are_overused(make_world: MakeWorld, index: int) -> None:
    world = make_world(index)

    over = {s.sku_id for s in subscribed(world) if s.consumed_units > s.prepaid_units.enabled + s.prepaid_units.warning}
    in_grace = {s.sku_id for s in subscribed(world) if s.consumed_units > s.prepaid_units.enabled} - over

    assert over == world.state.tenant.posture.overused
    assert in_grace == world.state.tenant.posture.in_grace


def test_three_of_the_first_five_tenants_overuse_a_sku_and_one_is_not_premium(make_world: MakeWorld) -> None:
    tenants = [make_world(index).state.tenant for index in range(5)]

    assert [bool(tenant.posture.overused) for tenant in tenants] == [False, True, False, True, True]
    assert [tenant.posture.premium for tenant in tenants] == [True, True, True, False, True]


@pytest.mark.parametrize("index", range(7))
def test_where_nobody_tidies_a_groups_licence_fails_for_one_user_in_two_hundred(
    make_world: MakeWorld, index: int
) -> None:
    world = make_world(index, 1000)
    tenant = world.state.tenant
    bodies = world.all("users?$select=licenseAssignmentStates&$top=999")
    states = [one for body in bodies for one in msgspec.convert(body["licenseAssignmentStates"], list[Assignment])]

    failed = [one for one in states if one.state != "Active"]

    assert len(failed) == (0 if tenant.posture.tidy else 5)
    assert {one.error for one in states if one not in failed} == {"None"}
    assert all(one.assigned_by_group and one.state == "ActiveWithError" for one in failed)
    scarce = tenant.posture.frontline.id in tenant.posture.overused
    assert len({one.error for one in failed}) == (0 if not failed else 1 if scarce else 3)
    assert ("CountViolation" in {one.error for one in failed}) is scarce


def test_premium_tenants_are_those_with_the_p1_plan(make_world: MakeWorld) -> None:
    for index in range(7):
        world = make_world(index)
        plans = {plan.service_plan_id for sku in subscribed(world) for plan in sku.service_plans}

        assert (P1_PLAN in plans) == world.state.tenant.posture.premium


def test_one_sku_belongs_to_the_company(make_world: MakeWorld) -> None:
    company = [sku.sku_id for sku in subscribed(make_world()) if sku.applies_to == "Company"]

    assert company == [WINDOWS_STORE.id]
