"""Subscriptions follow from the sources there are: made, renewed, made anew and ended, with a real PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import event

from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.subscriptions import LIFETIME, Microsoft365Subscriptions
from pipeline.stages.subscriptions import Kept
from pipeline.storage.database import Database
from tests.subscribers import DIRECTORY, NOW, URL, AnyToken, Graph, Tenants, tenants_in

pytestmark = pytest.mark.servers


@pytest.fixture
def world(database: Database) -> Tenants:
    return tenants_in(database)


def test_a_new_source_is_subscribed_to_once_and_synced_for_what_it_missed(world: Tenants) -> None:
    scope = world.add(1)

    assert world.keeper.keep(NOW) == Kept(done=2)
    assert world.keeper.keep(NOW) == Kept()

    held = {one["resource"]: one for one in world.graph(1).held.values()}
    assert set(held) == {"users", "groups"}
    for one in held.values():
        assert one["changeType"] == "updated,deleted"
        assert one["notificationUrl"] == URL + "/notifications/microsoft365"
        assert one["lifecycleNotificationUrl"] == URL + "/notifications/microsoft365/lifecycle"
        assert 32 <= len(one["clientState"]) <= 128
        assert timedelta() < datetime.fromisoformat(one["expirationDateTime"]) - NOW < LIFETIME
    assert held["users"]["clientState"] != held["groups"]["clientState"]
    assert world.requested() == [(scope.source_id, ["groups", "identities"])]


def test_the_secret_state_is_stored_as_a_hash_only(world: Tenants) -> None:
    world.add(1)
    world.keeper.keep(NOW)

    states = {one["id"]: one["clientState"] for one in world.graph(1).held.values()}

    for id_, digest in world.rows("subscription_id, client_state_hash"):
        assert bytes(digest) == hashlib.sha256(states[str(id_)].encode()).digest()  # type: ignore[call-overload]  # bytes
    everything = str(world.rows("*"))
    assert not any(state in everything for state in states.values())


def test_a_source_added_by_its_domain_is_known_by_the_id_that_notifications_carry(world: Tenants) -> None:
    world.add(1, external="contoso.onmicrosoft.com")

    world.keeper.keep(NOW)

    assert set(world.rows("directory_id")) == {(DIRECTORY.format(1),)}


def test_subscriptions_are_renewed_in_their_last_quarter_and_keep_their_id(world: Tenants) -> None:
    world.add(1)
    world.keeper.keep(NOW)
    before = world.rows("subscription_id")

    later = NOW + timedelta(days=23)

    assert world.keeper.keep(NOW + timedelta(days=15)) == Kept()
    assert world.keeper.keep(later) == Kept(done=2)
    assert world.keeper.keep(later) == Kept()
    assert world.rows("subscription_id") == before
    assert all(datetime.fromisoformat(one["expirationDateTime"]) > later for one in world.graph(1).held.values())
    assert len(world.graph(1).held) == 2


@pytest.mark.parametrize("days", [23, 40], ids=["gone before its time", "expired"])
def test_a_subscription_microsoft_does_not_know_any_more_is_made_anew(world: Tenants, days: int) -> None:
    world.add(1)
    world.keeper.keep(NOW)
    before = world.rows("subscription_id")
    world.graph(1).held.clear()

    assert world.keeper.keep(NOW + timedelta(days=days)) == Kept(done=2)

    assert len(world.graph(1).held) == 2
    assert {str(id_) for (id_,) in world.rows("subscription_id")} == set(world.graph(1).held)
    assert not set(before) & set(world.rows("subscription_id"))


@pytest.mark.parametrize("wanted", ["reauthorize", "recreate"])
def test_what_microsoft_asked_for_is_done_once_and_later_wishes_stay(world: Tenants, wanted: str) -> None:
    world.add(1)
    world.keeper.keep(NOW)
    (before, *_) = world.rows("subscription_id")
    world.do("UPDATE notification_subscriptions SET wanted_action = :wanted WHERE resource = 'groups'", wanted=wanted)

    assert world.keeper.keep(NOW) == Kept(done=1)
    assert world.keeper.keep(NOW) == Kept()

    (after, *_) = world.rows("subscription_id")
    assert (after == before) == (wanted == "reauthorize")
    assert len(world.graph(1).held) == 2
    assert world.graph(1).asked["PATCH"] == (wanted == "reauthorize")
    assert set(world.rows("wanted_action")) == {("",)}


def test_a_wish_that_comes_while_another_is_done_is_not_lost(world: Tenants) -> None:
    world.add(1)
    world.keeper.keep(NOW)
    world.do("UPDATE notification_subscriptions SET wanted_action = 'reauthorize'")
    graph = world.graph(1)

    def wish(request: httpx.Request) -> httpx.Response:
        world.do("UPDATE notification_subscriptions SET wanted_action = 'recreate'")
        return Graph.answer(graph, request)

    @asynccontextmanager
    async def connected() -> AsyncIterator[GraphClient]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(wish)) as http:
            yield GraphClient(http, AnyToken(), base_url="https://graph.example.com")

    keeper = replace(world.keeper, open_subscriptions=lambda _: Microsoft365Subscriptions(connected))

    assert keeper.keep(NOW) == Kept(done=2)
    assert world.rows("wanted_action") == [("recreate",), ("recreate",)]


def test_an_attempt_whose_answer_was_lost_does_not_pile_up(world: Tenants) -> None:
    world.add(1)
    world.graph(1).lose_answers = True
    now = NOW
    for _ in range(3):
        world.keeper.keep(now)
        now += timedelta(hours=12)
    world.graph(1).held["another installation's"] = {
        "id": "another installation's",
        "resource": "users",
        "notificationUrl": "https://staging.example.com/notifications/microsoft365",
    }
    world.graph(1).held["left over"] = {
        "id": "left over",
        "resource": "users",
        "notificationUrl": URL + "/notifications/microsoft365",
    }
    world.graph(1).lose_answers = False

    assert world.keeper.keep(now) == Kept(done=2)

    assert len(world.graph(1).held) == 3
    assert "another installation's" in world.graph(1).held
    assert {str(id_) for (id_,) in world.rows("subscription_id")} < set(world.graph(1).held)


def test_another_address_makes_them_anew_there(world: Tenants) -> None:
    world.add(1)
    world.keeper.keep(NOW)

    moved = replace(world.keeper, url="https://moved.example.com")

    assert moved.keep(NOW) == Kept(done=2)
    assert moved.keep(NOW) == Kept()
    assert {one["notificationUrl"] for one in world.graph(1).held.values()} == {
        "https://moved.example.com/notifications/microsoft365"
    }


@pytest.mark.parametrize("how", ["disabled", "no address"])
def test_a_source_that_is_not_to_be_told_any_more_loses_its_subscriptions(world: Tenants, how: str) -> None:
    world.add(1)
    world.keeper.keep(NOW)
    keeper = world.keeper
    if how == "disabled":
        world.do("UPDATE data_sources SET enabled = false")
    else:
        keeper = replace(keeper, url=None)

    assert keeper.keep(NOW) == Kept(done=2)

    assert not world.graph(1).held
    assert world.rows("resource") == []
    assert keeper.keep(NOW) == Kept()


def test_only_sources_of_the_provider_that_notifies_are_subscribed_to(world: Tenants) -> None:
    world.add(1, provider="halopsa")

    assert world.keeper.keep(NOW) == Kept()


def test_one_tenant_alone_can_be_seen_to(world: Tenants) -> None:
    world.add(1)
    scope = world.add(2)

    assert world.keeper.keep(NOW, tenant_id=scope.tenant_id) == Kept(done=2)

    assert not world.graph(1).held


def test_what_is_due_is_found_and_claimed_in_the_same_statements_for_any_number_of_tenants(world: Tenants) -> None:
    statements: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for numbers in (range(1, 2), range(2, 22)):
        for number in numbers:
            world.add(number)
        statements.clear()
        world.keeper.keep(NOW)
        counts.append(sum("UPDATE" not in one and "pending_triggers" not in one for one in statements))
        assert sum("notification_subscriptions AS s" in one for one in statements) == 1
    assert counts[0] == counts[1]
