"""Events reach JetStream once each, in order, whatever is restarted meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import nats
import pytest

from pipeline.domain.runs import Scope
from pipeline.embedded import EmbeddedServers, temporary_state_folder
from pipeline.events import STREAM, Event
from pipeline.relay import run_relay
from pipeline.settings import load_settings
from pipeline.storage.database import Database
from pipeline.storage.outbox import add_events
from pipeline.wiring import now

pytestmark = pytest.mark.servers
SCOPE = Scope(tenant_id=1, source_id=1)


def events(count: int) -> list[Event]:
    return [Event(subject="alert.created", payload={"number": number}) for number in range(count)]


@contextmanager
def relaying(database_url: str, nats_url: str) -> Iterator[None]:
    stopping = threading.Event()
    settings = load_settings({"DATABASE_URL": database_url, "NATS_URL": nats_url})
    thread = threading.Thread(target=run_relay, args=(settings, stopping))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(30)
        assert not thread.is_alive()


def eventually(met: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not met():
        assert time.monotonic() < deadline, "the condition was not met in time"
        pause.wait(0.02)


def unpublished(database: Database) -> int:
    with database.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE published_at IS NULL").scalar_one())


def received(nats_url: str, count: int) -> list[str]:
    """The ids of the stream's first messages, in order."""

    async def read() -> list[str]:
        client = await nats.connect(nats_url)
        subscription = await client.jetstream().subscribe("alert.*", ordered_consumer=True, stream=STREAM)
        found = [await subscription.next_msg(timeout=10) for _ in range(count)]
        pending = (await client.jetstream().stream_info(STREAM)).state.messages
        await client.close()
        assert pending == count
        return [message.headers["Nats-Msg-Id"] for message in found if message.headers]

    return asyncio.run(read())


@pytest.fixture
def own_nats() -> Iterator[tuple[EmbeddedServers, str]]:
    """A NATS that this test may kill."""
    with temporary_state_folder() as folder:
        servers = EmbeddedServers(folder, postgres=False, redis=False, durable=False)
        with servers as urls:
            assert urls.nats_url
            yield servers, urls.nats_url


def test_events_arrive_once_and_in_order(
    database: Database, database_url: str, own_nats: tuple[EmbeddedServers, str]
) -> None:
    told = events(1200)
    with relaying(database_url, own_nats[1]):
        with database.begin() as connection:
            add_events(connection, SCOPE, told, now())
        eventually(lambda: unpublished(database) == 0)

    assert received(own_nats[1], len(told)) == [str(event.id) for event in told]


def test_nats_being_away_delays_events_and_loses_none(
    database: Database, database_url: str, own_nats: tuple[EmbeddedServers, str]
) -> None:
    servers, url = own_nats
    told = events(300)
    with relaying(database_url, url):
        with database.begin() as connection:
            add_events(connection, SCOPE, told[:100], now())
        eventually(lambda: unpublished(database) == 0)
        servers.kill("nats")
        with database.begin() as connection:
            add_events(connection, SCOPE, told[100:], now())
        servers.restart("nats")
        eventually(lambda: unpublished(database) == 0, seconds=60)

    assert received(url, len(told)) == [str(event.id) for event in told]


def test_an_event_of_a_rolled_back_transaction_is_never_published(
    database: Database, database_url: str, own_nats: tuple[EmbeddedServers, str]
) -> None:
    told = events(2)

    class RolledBackError(Exception):
        pass

    def add_and_fail() -> None:
        with database.begin() as connection:
            add_events(connection, SCOPE, told[:1], now())
            raise RolledBackError

    with relaying(database_url, own_nats[1]):
        with pytest.raises(RolledBackError):
            add_and_fail()
        with database.begin() as connection:
            add_events(connection, SCOPE, told[1:], now())
        eventually(lambda: unpublished(database) == 0)

    assert received(own_nats[1], 1) == [str(told[1].id)]
