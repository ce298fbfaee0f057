"""Deliveries when PostgreSQL is down, silent or locked, and many at once: stored in time, or to be delivered again."""

from __future__ import annotations

import asyncio
import json
import socket
import time

import httpx
import pytest
from sqlalchemy import text

from pipeline.domain.subscriptions import NOTIFICATIONS_PATH
from pipeline.storage.database import Database
from tests.deliveries import asked, pending, post, standing, subscribed

pytestmark = pytest.mark.servers


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "DEBOUNCE_QUIET_MS": "7000"}


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
