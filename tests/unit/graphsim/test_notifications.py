"""Who is told what, how long, and what slow endpoints get."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graphsim.clock import WorldClock
from graphsim.directory.tenants import generate
from graphsim.notifying.endpoints import RETRIED_SECONDS, Endpoint, Standing, is_loopback, pauses
from graphsim.notifying.notifications import Notification, collect
from graphsim.world import mutations
from graphsim.world.changes import Resource
from graphsim.world.mutations import Mutation
from graphsim.world.state import TenantState
from graphsim.world.subscribed import Subscription
from tests.unit.graphsim.conftest import NOW

AT = 1_800_000_000.0
SUBSCRIPTION = Subscription(
    id="one",
    resource=Resource.USERS,
    object_id="",
    resource_text="users",
    change_types=frozenset({"updated", "deleted"}),
    notification_url="https://hook.example/n",
    lifecycle_url="https://hook.example/l",
    client_state="secret",
    expires_at=AT + 60,
    since=0,
)


class World:
    def __init__(self, *subscriptions: Subscription) -> None:
        self.at = AT
        tenant = generate(seed="tests", index=0, size=60, now=NOW)
        self.state = TenantState(tenant=tenant, clock=WorldClock(source=lambda: self.at))
        self.state.subscriptions.held = {each.id: each for each in subscriptions}

    def do(self, action: str, key: str | int = "", **values: object) -> None:
        mutations.apply(self.state, Mutation(action, key, dict(values)))

    def told(self) -> list[Notification]:
        return collect(self.state)

    def kinds(self) -> list[tuple[object, object]]:
        return [(each.body["resource"], each.body["changeType"]) for each in self.told()]


def test_a_notification_has_the_fields_graph_sends() -> None:
    world = World(SUBSCRIPTION)
    world.do("disable_user", 20)

    [told] = world.told()

    user_id = world.state.tenant.user_id(20)
    assert told.url == "https://hook.example/n"
    assert told.body == {
        "subscriptionId": "one",
        "subscriptionExpirationDateTime": "2027-01-15T08:01:00Z",
        "changeType": "updated",
        "resource": f"Users/{user_id}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "@odata.id": f"Users/{user_id}", "id": user_id},
        "clientState": "secret",
        "tenantId": world.state.tenant.id,
    }
    assert world.told() == []


def test_only_purging_is_a_deletion() -> None:
    world = World(SUBSCRIPTION)
    user = f"Users/{world.state.tenant.user_id(20)}"
    for action in ("delete_user", "restore_user", "purge_user"):
        world.do(action, 20)

    assert world.kinds() == [(user, "updated"), (user, "updated"), (user, "updated"), (user, "deleted")]


def test_subscribers_hear_of_what_they_asked_for() -> None:
    world = World(
        replace(SUBSCRIPTION, change_types=frozenset({"deleted"})),
        replace(SUBSCRIPTION, id="two", resource=Resource.GROUPS),
    )
    world.do("disable_user", 20)
    world.do("add_member", "Legal", user=20)
    world.do("disable_policy", 0)
    world.do("buy_seats", "POWER_BI_PRO", seats=1)

    assert world.kinds() == [(f"Groups/{world.state.tenant.group_id(17)}", "updated")]


def test_sign_ins_and_registrations_notify_nobody() -> None:
    world = World(SUBSCRIPTION)
    world.do("sign_in", 20)
    world.do("register_mfa", 20)

    assert world.told() == []


def test_nobody_is_told_what_the_application_may_not_read() -> None:
    world = World(SUBSCRIPTION)
    world.do("revoke_consent")
    world.do("disable_user", 20)
    assert world.told() == []

    world.do("grant_consent")
    world.do("enable_user", 20)

    assert len(world.told()) == 1


def test_one_object_can_be_subscribed_to() -> None:
    world = World()
    only = replace(SUBSCRIPTION, object_id=world.state.tenant.user_id(20))
    world.state.subscriptions.held = {"one": only}
    world.do("disable_user", 20)
    world.do("disable_user", 21)

    assert [resource for resource, _ in world.kinds()] == [f"Users/{only.object_id}"]


def test_nobody_hears_of_what_was_before_the_subscription() -> None:
    world = World()
    world.do("disable_user", 20)
    world.state.subscriptions.held = {"one": replace(SUBSCRIPTION, since=world.state.log.last)}

    assert world.told() == []


def test_an_expired_subscription_is_gone_and_what_waited_for_it_unwanted() -> None:
    world = World(SUBSCRIPTION)
    world.do("disable_user", 20)
    [waiting] = world.told()
    assert waiting.wanted

    world.at += 60
    world.do("enable_user", 20)

    assert world.told() == []
    assert not waiting.wanted
    assert world.state.subscriptions.held == {}


@pytest.mark.parametrize(
    ("event", "wanted", "left"),
    [("reauthorizationRequired", True, 1), ("missed", True, 1), ("subscriptionRemoved", True, 0)],
)
def test_lifecycle_events_go_to_their_own_address(event: str, left: int, *, wanted: bool) -> None:
    world = World(SUBSCRIPTION, replace(SUBSCRIPTION, id="two", lifecycle_url=""))
    world.do("send_lifecycle", "one", event=event)

    [told] = world.told()

    assert told.url == "https://hook.example/l"
    assert told.body["lifecycleEvent"] == event
    assert set(told.body) == {
        "subscriptionId",
        "subscriptionExpirationDateTime",
        "clientState",
        "tenantId",
        "lifecycleEvent",
    }
    assert told.wanted is wanted
    assert len([key for key in world.state.subscriptions.held if key == "one"]) == left


@pytest.mark.parametrize(
    ("quick", "slow", "standing"),
    [
        (0, 99, Standing.GOOD),
        (91, 9, Standing.GOOD),
        (90, 10, Standing.THROTTLED),
        (86, 14, Standing.THROTTLED),
        (85, 15, Standing.DROPPED),
    ],
)
def test_slow_endpoints_are_throttled_then_dropped_for_ten_minutes(quick: int, slow: int, standing: Standing) -> None:
    endpoint = Endpoint(since=AT)
    for _ in range(quick):
        endpoint.record(2.9, AT)
    for _ in range(slow):
        endpoint.record(2.91, AT)

    assert endpoint.standing(AT + 599) is standing
    assert endpoint.standing(AT + 600) is Standing.GOOD


def test_retries_grow_apart_and_end_after_four_hours() -> None:
    found = list(pauses())

    assert found[:3] == [10.0, 20.0, 40.0]
    assert found == sorted(found)
    assert RETRIED_SECONDS - 1800 < sum(found) <= RETRIED_SECONDS


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("a.example", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, *, local: bool) -> None:
    assert is_loopback(host) is local
