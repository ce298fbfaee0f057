"""Subscriptions follow from the sources there are: made, renewed, made anew and ended, with a real PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event, text

from pipeline import wiring
from pipeline.domain.runs import DataSource, Scope
from pipeline.errors import SettingError, TenantUnreachableError
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.subscriptions import LIFETIME, Microsoft365Subscriptions
from pipeline.providers.retry import RetryPolicy
from pipeline.stages.subscriptions import LEASE, Keeper, Kept
from pipeline.storage import tenants
from pipeline.storage.database import Database
from pipeline.storage.schedules import Debounce
from pipeline.storage.subscriptions import FIRST_PAUSE

pytestmark = pytest.mark.servers

URL = "https://pipeline.example.com"
NOW = wiring.now().replace(microsecond=0)
DIRECTORY = "11111111-1111-1111-1111-{:012d}"


class AnyToken:
    """A tenant that lets everybody in."""

    def token(self) -> str:
        return "token"

    def replace(self, rejected: str) -> str:
        return rejected


@dataclass(slots=True)
class Graph:
    """One tenant's ``/subscriptions`` as Microsoft documents them, without deliveries."""

    directory_id: str
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    refuse: int = 0
    """A status every request is refused with."""
    lose_answers: bool = False
    """Requests are done, and the connection breaks before the answer."""
    unreachable: Exception | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.method] += 1
        if self.refuse:
            return httpx.Response(self.refuse, json={"error": {"code": "Refused"}})
        found = self._done(request.method, request.url.path.removeprefix("/v1.0"), request.content)
        if self.lose_answers:
            raise httpx.ReadError("cut", request=request)
        return found

    def _done(self, method: str, path: str, content: bytes) -> httpx.Response:
        if path == "/organization":
            return httpx.Response(200, json={"value": [{"id": self.directory_id}]})
        known = path.removeprefix("/subscriptions/")
        if method == "GET":
            return httpx.Response(200, json={"value": [{**one, "clientState": None} for one in self.held.values()]})
        if method == "POST":
            made = {**json.loads(content), "id": str(uuid4())}
            self.held[made["id"]] = made
            return httpx.Response(201, json=made)
        if known not in self.held:
            return httpx.Response(404, json={"error": {"code": "ResourceNotFound"}})
        if method == "DELETE":
            del self.held[known]
            return httpx.Response(204)
        self.held[known] |= json.loads(content)
        return httpx.Response(200, json=self.held[known])

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[GraphClient]:
        if self.unreachable:
            raise self.unreachable
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as http:
            retry = RetryPolicy(attempts=1)
            yield GraphClient(http, AnyToken(), base_url="https://graph.example.com", retry=retry)


@dataclass(slots=True)
class Tenants:
    """Tenants with a Graph each, and what keeps their subscriptions."""

    database: Database
    keeper: Keeper
    graphs: dict[str, Graph]

    def add(self, number: int, external: str = "", provider: str = "microsoft365") -> Scope:
        directory = DIRECTORY.format(number)
        self.graphs[external or directory] = Graph(directory_id=directory)
        with self.database.begin() as connection:
            tenant = tenants.add_tenant(connection, f"tenant-{number}")
            source = tenants.NewSource(
                provider=provider,
                external_tenant_id=external or directory,
                client_id="client",
                credentials=b"",
            )
            return tenants.add_source(connection, tenant, source, NOW)

    def graph(self, number: int) -> Graph:
        return self.graphs[DIRECTORY.format(number)]

    def rows(self, columns: str) -> list[tuple[object, ...]]:
        statement = text(f"SELECT {columns} FROM notification_subscriptions ORDER BY source_id, resource")  # noqa: S608 - the test's own columns
        with self.database.begin() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def do(self, statement: str, **values: object) -> None:
        with self.database.begin() as connection:
            connection.execute(text(statement), values)

    def requested(self) -> list[tuple[object, ...]]:
        with self.database.begin() as connection:
            found = connection.execute(text("SELECT source_id, sync_types FROM pending_triggers ORDER BY source_id"))
            return [tuple(row) for row in found]


@pytest.fixture
def world(database: Database) -> Tenants:
    graphs: dict[str, Graph] = {}

    def opened(source: DataSource) -> Microsoft365Subscriptions:
        return Microsoft365Subscriptions(graphs[source.external_tenant_id].connected)

    debounce = Debounce(quiet=timedelta(seconds=5), limit=timedelta(minutes=5))
    keeper = Keeper(database=database, open_subscriptions=opened, url=URL, debounce=debounce)
    return Tenants(database=database, keeper=keeper, graphs=graphs)


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


@pytest.mark.parametrize(
    "trouble",
    [
        TenantUnreachableError("Microsoft refuses to sign the application in.", code="AADSTS700016"),
        SettingError("No key in SECRET_KEY decrypts this data source's credentials."),
        403,
        503,
        400,
    ],
)
def test_a_tenant_that_fails_rests_ever_longer_and_stops_no_other(world: Tenants, trouble: Exception | int) -> None:
    world.add(1)
    world.add(2)
    if isinstance(trouble, int):
        world.graph(1).refuse = trouble
    else:
        world.graph(1).unreachable = trouble

    assert world.keeper.keep(NOW) == Kept(done=2, failed=2)

    assert len(world.graph(2).held) == 2
    assert world.keeper.keep(NOW + FIRST_PAUSE * 0.8) == Kept(), "both resources rest"
    pauses = []
    now = NOW
    for _ in range(12):
        ((resting,), *_) = world.rows("next_attempt_at")
        assert isinstance(resting, datetime)
        pauses.append((resting - now).total_seconds())
        now = resting
        world.keeper.keep(now + timedelta(seconds=1000))
        now += timedelta(seconds=1000)
    assert pauses[0] < pauses[3] < pauses[6]
    assert max(pauses) < 7 * 3600
    (reason,) = {row for row in world.rows("last_error") if row != ("",)}
    assert str(reason[0]).endswith((".", ")", "again."))


def test_a_person_need_not_wait_and_what_works_again_is_forgiven(world: Tenants) -> None:
    world.add(1)
    world.graph(1).refuse = 503
    world.keeper.keep(NOW)
    world.graph(1).refuse = 0

    assert world.keeper.keep(NOW, pauses=False) == Kept(done=2)

    assert set(world.rows("failures, last_error, next_attempt_at")) == {(0, "", None)}


def test_a_tenant_that_refuses_its_syncs_is_not_asked_until_it_takes_us_back(world: Tenants) -> None:
    world.add(1)
    world.do("UPDATE data_sources SET refusals = 1")

    assert world.keeper.keep(NOW) == Kept()

    world.do("UPDATE data_sources SET refusals = 0")
    assert world.keeper.keep(NOW) == Kept(done=2)


def test_a_worker_that_was_killed_holds_its_work_up_for_the_lease_only(world: Tenants) -> None:
    world.add(1)

    def killed(_: DataSource) -> Microsoft365Subscriptions:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(world.keeper, open_subscriptions=killed).keep(NOW)

    assert world.keeper.keep(NOW + LEASE / 2) == Kept()
    assert world.keeper.keep(NOW + LEASE) == Kept(done=2)


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
