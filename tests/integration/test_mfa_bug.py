"""The former system's MFA mistakes, kept on the legacy branch and gone from the new one, seen over whole runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from graphsim.world import scenario
from pipeline.domain.capture import Page, Resource
from pipeline.domain.flags import Flag
from tests.tenants import LEGACY, NEW
from tests.world import CUT, REPORT_ONLY, World, a_world

pytestmark = pytest.mark.servers
NONE, PARTIAL = "mfa_not_enforced", "mfa_partial_enforced"
BREAK_GLASS = (0, 1)


def without_policies(page: Page) -> Page:
    """The tenant as it was before anybody wrote a conditional access policy."""
    return Page(resource=page.resource, body=b'{"value": []}') if page.resource is Resource.POLICIES else page


def enable_mfa_for_everyone(world: World) -> None:
    """Conditional access as it should be: CA001 demands MFA of all but the break-glass accounts."""
    world.edit = lambda page: page
    first = str(world.state.policies()[0]["id"])
    scenario.change_policy(world.state, first, scenario.PolicyChange(state="enabled"))


def enabled_users(world: World) -> int:
    return sum(bool(world.state.user(number)["accountEnabled"]) for number in range(world.state.size))


def alerted(world: World, *alert_types: str) -> set[str]:
    """External ids of users with an active alert."""
    rows = world.rows(
        "SELECT external_id FROM alerts WHERE status = 'active' AND alert_type = ANY(:types)", types=list(alert_types)
    )
    return {str(row[0]) for row in rows}


def test_new_resolves_every_mfa_alert_of_the_users_an_enabled_policy_protects(database_url: str) -> None:
    with a_world(database_url, NEW, posture=REPORT_ONLY) as world:
        world.edit = without_policies
        world.sync()
        assert world.alerts(NONE) == {"active": enabled_users(world)}

        enable_mfa_for_everyone(world)
        world.sync()

        left = {world.state.tenant.user_id(number) for number in BREAK_GLASS}
        assert alerted(world, NONE, PARTIAL) == left
        assert world.alerts(NONE)["resolved"] == enabled_users(world) - len(left)
        world.sync()
        assert alerted(world, NONE, PARTIAL) == left


def test_legacy_leaves_every_mfa_alert_standing_once_nobody_is_left_without_mfa(database_url: str) -> None:
    with a_world(database_url, LEGACY, posture=REPORT_ONLY) as world:
        world.edit = without_policies
        world.sync()
        before = alerted(world, NONE)
        assert len(before) == enabled_users(world)

        enable_mfa_for_everyone(world)
        world.sync()

        assert world.number("SELECT count(*) FROM findings WHERE alert_type = ANY(:t)", t=[NONE, PARTIAL]) == 0
        assert alerted(world, NONE) == before, "a type without findings resolves nothing"
        world.sync()
        assert alerted(world, NONE) == before


def test_new_does_not_count_a_report_only_policy_as_protection(database_url: str) -> None:
    with a_world(database_url, NEW, posture=REPORT_ONLY) as world:
        world.sync()

        assert world.alerts(NONE) == {"active": enabled_users(world)}


def test_legacy_counts_a_report_only_policy_as_protection(database_url: str) -> None:
    with a_world(database_url, LEGACY, posture=REPORT_ONLY) as world:
        world.sync()

        assert world.alerts(NONE, PARTIAL) == {}


@pytest.mark.parametrize(("branch", "left"), [(NEW, 60), (LEGACY, 1)], ids=["new", "legacy"])
def test_only_legacy_resolves_alerts_when_the_policies_could_not_be_read_to_the_end(
    database_url: str, branch: Mapping[Flag, bool], left: int
) -> None:
    """What was read protects all but one user; what was not read may change that."""
    with a_world(database_url, branch, posture=REPORT_ONLY) as world:
        world.edit = without_policies
        world.sync()
        before = world.alerts(NONE)["active"]
        enable_mfa_for_everyone(world)
        world.edit = lambda page: excluding(world.state.tenant.user_id(0), page)
        world.outcomes[Resource.POLICIES] = CUT

        world.sync()

        assert world.alerts(NONE)["active"] == min(left, before)


def excluding(user_id: str, page: Page) -> Page:
    """The first policy's page with one more user excluded by id."""
    if page.resource is not Resource.POLICIES:
        return page
    body = json.loads(page.body)
    body["value"][0]["conditions"]["users"]["excludeUsers"].append(user_id)
    return replace(page, body=json.dumps(body).encode())
