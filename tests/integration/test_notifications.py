"""Deliveries to the web process with a real PostgreSQL: stored before they are answered, or not taken at all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import httpx
import pytest
from sqlalchemy import text

from pipeline import wiring
from pipeline.domain.runs import Scope
from pipeline.domain.subscriptions import LIFECYCLE_PATH, NOTIFICATIONS_PATH, Action, Step
from pipeline.settings import load_settings
from pipeline.storage import subscriptions, tenants
from pipeline.storage.database import Database
from pipeline.web.app import create_app
from pipeline.web.notifications import LONGEST_BODY, LONGEST_TOKEN

pytestmark = pytest.mark.servers

T = TypeVar("T")
DIRECTORIES = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222")


def subscribed(database: Database, number: int, resource: str) -> dict[str, str]:
    """A notification as Microsoft would send it, of a subscription that stands for tenant ``number``."""
    directory = DIRECTORIES[number]
    now = wiring.now()
    made = f"{resource}-{number}"
    with database.begin() as connection:
        found = {source.external_tenant_id: source.scope for source in tenants.list_sources(connection)}
        scope = found.get(directory) or tenants.add_source(
            connection,
            tenants.add_tenant(connection, f"tenant-{number}"),
            tenants.NewSource(
                provider="microsoft365", external_tenant_id=directory, client_id="client", credentials=b""
            ),
            now,
        )
        action = Action(step=Step.CREATE, scope=scope, resource=resource, subscription_id=None)
        subscriptions.claim(connection, [action], now, until=now)
        new = subscriptions.NewSubscription(
            id=made,
            directory_id=directory,
            url="https://pipeline.example.com",
            client_state_hash=hashlib.sha256(f"secret of {made}".encode()).digest(),
            expires_at=now + timedelta(days=20),
        )
        assert subscriptions.record(connection, action, new, now)
    return {
        "subscriptionId": made,
        "tenantId": directory,
        "clientState": f"secret of {made}",
        "changeType": "updated",
        "resource": f"{resource}/33333333-3333-3333-3333-333333333333",
    }


def asked(environment: Mapping[str, str], ask: Callable[[httpx.AsyncClient], Coroutine[object, object, T]]) -> T:
    """What a client of the web process with this environment finds."""

    async def inside() -> T:
        app = create_app(load_settings(environment))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://web") as client,
        ):
            return await ask(client)

    return asyncio.run(inside())


def post(
    environment: Mapping[str, str], *items: object, path: str = NOTIFICATIONS_PATH, body: bytes | None = None
) -> httpx.Response:
    content = json.dumps({"value": items}).encode() if body is None else body
    return asked(environment, lambda client: client.post(path, content=content))


def pending(database: Database) -> list[tuple[Scope, str, Sequence[str], int]]:
    """Requested syncs: whose, why, of what, and how many seconds after the first request they start."""
    query = text(
        "SELECT d.tenant_id, p.source_id, p.trigger, p.sync_types,"
        " extract(epoch FROM p.due_at - p.first_at)::int AS after"
        " FROM pending_triggers p JOIN data_sources d ON d.id = p.source_id ORDER BY p.source_id"
    )
    with database.begin() as connection:
        return [
            (Scope(tenant_id=row.tenant_id, source_id=row.source_id), row.trigger, row.sync_types, row.after)
            for row in connection.execute(query)
        ]


def standing(database: Database) -> dict[str, tuple[int, str, bool]]:
    """Per subscription: notifications, what is wanted, and whether the last one's time is known."""
    query = text(
        "SELECT subscription_id, notifications, wanted_action, last_notification_at IS NOT NULL AS told"
        " FROM notification_subscriptions"
    )
    with database.begin() as connection:
        return {
            row.subscription_id: (row.notifications, row.wanted_action, row.told) for row in connection.execute(query)
        }


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "DEBOUNCE_QUIET_MS": "7000"}


@pytest.mark.parametrize("path", [NOTIFICATIONS_PATH, LIFECYCLE_PATH])
def test_microsofts_question_is_answered_with_its_token_and_without_a_database(path: str) -> None:
    token = "Validation: Testing client application reachability for subscription Request-Id: 4a/b+c=&%"

    answer = asked({}, lambda client: client.post(path, params={"validationToken": token}))

    assert (answer.status_code, answer.text) == (200, token)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_token_cannot_be_a_page_or_endless() -> None:
    def ask(token: str) -> httpx.Response:
        return asked({}, lambda client: client.post(NOTIFICATIONS_PATH, params={"validationToken": token}))

    assert "<" not in ask("<script>alert(1)</script>").text
    assert ask("x").headers["x-content-type-options"] == "nosniff"
    assert ask("x" * (LONGEST_TOKEN + 1)).status_code == 400


def test_one_delivery_of_several_tenants_is_stored_before_it_is_answered(
    environment: dict[str, str], database: Database
) -> None:
    first, second = subscribed(database, 0, "users"), subscribed(database, 1, "groups")
    third = subscribed(database, 1, "users")

    answer = post(environment, first, second, first, third)

    assert answer.status_code == 202
    requested = pending(database)
    assert [(trigger, kinds) for _, trigger, kinds, _ in requested] == [
        ("webhook", ["identities"]),
        ("webhook", ["groups", "identities"]),
    ]
    assert {after for *_, after in requested} == {7}
    assert standing(database) == {"users-0": (2, "", True), "groups-1": (1, "", True), "users-1": (1, "", True)}


def test_what_microsoft_cannot_have_sent_changes_nothing_and_is_not_told_apart(
    environment: dict[str, str], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    good = subscribed(database, 0, "users")
    subscribed(database, 1, "users")
    wrong = [
        {**good, "clientState": "guessed secret"},
        {**good, "tenantId": DIRECTORIES[1]},
        {**good, "subscriptionId": "users-1"},
        {**good, "subscriptionId": "users-9"},
        {"nonsense": True},
    ]

    answers = [post(environment, one) for one in wrong]

    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "")}
    assert pending(database) == []
    assert set(standing(database).values()) == {(0, "", False)}
    told = capsys.readouterr()
    assert "secret" not in told.out + told.err
    assert "users-9" not in told.out + told.err


def test_a_wrong_item_does_not_cost_the_ones_beside_it(environment: dict[str, str], database: Database) -> None:
    good = subscribed(database, 0, "users")

    assert post(environment, {**good, "clientState": "guessed"}, good, 17).status_code == 202

    assert standing(database) == {"users-0": (1, "", True)}
    assert len(pending(database)) == 1


def test_a_disabled_source_is_told_nothing(environment: dict[str, str], database: Database) -> None:
    good = subscribed(database, 0, "users")
    with database.begin() as connection:
        connection.execute(text("UPDATE data_sources SET enabled = false"))

    assert post(environment, good).status_code == 202

    assert pending(database) == []


@pytest.mark.parametrize(
    ("event", "wanted", "syncs"),
    [("reauthorizationRequired", "reauthorize", 0), ("subscriptionRemoved", "recreate", 1), ("missed", "", 1)],
)
def test_lifecycle_events_are_kept_until_they_are_done(
    environment: dict[str, str], database: Database, event: str, wanted: str, syncs: int
) -> None:
    good = subscribed(database, 0, "users")

    assert post(environment, {**good, "lifecycleEvent": event}, path=LIFECYCLE_PATH).status_code == 202

    assert standing(database) == {"users-0": (0, wanted, False)}
    assert len(pending(database)) == syncs


def test_a_lesser_event_does_not_hide_that_the_subscription_is_gone(
    environment: dict[str, str], database: Database
) -> None:
    good = subscribed(database, 0, "users")
    for event in ("subscriptionRemoved", "reauthorizationRequired"):
        post(environment, {**good, "lifecycleEvent": event}, path=LIFECYCLE_PATH)

    assert standing(database) == {"users-0": (0, "recreate", False)}


@pytest.mark.parametrize("body", [b"", b"not JSON", b'{"value": {}}'])
def test_what_is_no_delivery_is_refused(environment: dict[str, str], body: bytes) -> None:
    assert post(environment, body=body).status_code == 400


def test_a_body_without_an_end_is_not_read_to_it(environment: dict[str, str]) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * LONGEST_BODY:
            sent += 65_536
            yield b" " * 65_536

    answer = asked(environment, lambda client: client.post(NOTIFICATIONS_PATH, content=endless()))

    assert answer.status_code == 413
    assert sent < 2 * LONGEST_BODY


def test_a_reader_of_pages_finds_none_here(environment: dict[str, str]) -> None:
    assert asked(environment, lambda client: client.get(NOTIFICATIONS_PATH)).status_code == 405


def test_without_a_database_microsoft_is_asked_to_deliver_again(environment: dict[str, str]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        down = {**environment, "DATABASE_URL": f"postgresql://127.0.0.1:{held.getsockname()[1]}/x"}
        begun = time.monotonic()
        answer = post(down, {"subscriptionId": "x", "tenantId": "y", "clientState": "z"})
        seconds = time.monotonic() - begun

    assert answer.status_code == 503
    assert seconds < 2, "importing and starting the application included"
    assert post({}, {"subscriptionId": "x", "tenantId": "y"}).status_code == 503


def test_a_database_that_says_nothing_costs_microsoft_one_second_and_us_a_bounded_number_of_threads(
    environment: dict[str, str],
) -> None:
    item = json.dumps({"value": [{"subscriptionId": "x", "tenantId": "y", "clientState": "z"}]})

    async def flood(client: httpx.AsyncClient) -> tuple[list[int], float]:
        begun = time.monotonic()
        answers = await asyncio.gather(*(client.post(NOTIFICATIONS_PATH, content=item) for _ in range(100)))
        return [answer.status_code for answer in answers], time.monotonic() - begun

    with socket.create_server(("127.0.0.1", 0), backlog=128) as mute:
        silent = {**environment, "DATABASE_URL": f"postgresql://127.0.0.1:{mute.getsockname()[1]}/x"}
        statuses, seconds = asked(silent, flood)
        connections = 0
        mute.settimeout(0)
        while True:
            try:
                mute.accept()[0].close()
            except BlockingIOError:
                break
            connections += 1

    assert set(statuses) == {503}
    assert seconds < 1.5
    assert 0 < connections <= 8


def test_a_row_somebody_holds_ends_in_another_delivery_and_not_in_a_wait(
    environment: dict[str, str], database: Database
) -> None:
    good = subscribed(database, 0, "users")
    with database.begin() as connection:
        connection.execute(text("SELECT 1 FROM notification_subscriptions FOR UPDATE"))
        begun = time.monotonic()
        answer = post(environment, good)
        seconds = time.monotonic() - begun

    assert answer.status_code == 503
    assert seconds < 2
    assert post(environment, good).status_code == 202
    assert len(pending(database)) == 1


def test_many_deliveries_at_once_are_answered_in_time_and_become_one_sync(
    environment: dict[str, str], database: Database
) -> None:
    items = [subscribed(database, 0, "users"), subscribed(database, 0, "groups"), subscribed(database, 1, "users")]

    async def burst(client: httpx.AsyncClient) -> list[tuple[int, float]]:
        async def one(number: int) -> tuple[int, float]:
            body = json.dumps({"value": items if number % 2 else items[::-1]})
            begun = time.monotonic()
            answer = await client.post(NOTIFICATIONS_PATH, content=body)
            return answer.status_code, time.monotonic() - begun

        found: list[tuple[int, float]] = []
        for start in range(0, 200, 20):
            found += await asyncio.gather(*(one(start + number) for number in range(20)))
        return found

    answers = asked(environment, burst)

    assert {status for status, _ in answers} == {202}
    assert max(seconds for _, seconds in answers) < 1
    assert {count for count, *_ in standing(database).values()} == {200}
    assert len(pending(database)) == 2
