"""The relay: publishes the outbox to NATS JetStream, in order, at least once, each event under its own id.

One process of its own, because workers must never wait for NATS. It sleeps on LISTEN and is woken by the trigger on
the outbox. A row is marked in the transaction that read it, after the stream has acknowledged it; what was published
and not marked is published again under the same ``Nats-Msg-Id`` and the stream drops the copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

import nats
import psycopg
import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import BadRequestError

from pipeline.errors import ServerUnavailableError, TransientError
from pipeline.events import STREAM, SUBJECTS
from pipeline.settings import Settings
from pipeline.storage.database import Database, unavailable
from pipeline.storage.outbox import CHANNEL, OutboxRow, hold_relay_lock, mark_published, unpublished
from pipeline.wiring import now, open_database

log = structlog.get_logger(__name__)

BATCH = 500
WAKE_SECONDS = 2.0
"""How long to sleep without a ring: what a lost notification costs at most."""
DUPLICATE_WINDOW_SECONDS = 600.0
ACK_SECONDS = 10.0


class Publisher:
    """A connection to JetStream in a thread of its own, so that it lives on while the relay waits for rows."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._client: Client | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(NatsError, TimeoutError, OSError):
            self._wait(self._close(), ACK_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ACK_SECONDS)
        self._loop.close()

    def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Returns once the stream has acknowledged every row; raises ``ServerUnavailableError`` otherwise."""
        try:
            self._wait(self._publish(rows), 2 * ACK_SECONDS)
        except (NatsError, TimeoutError, OSError) as error:
            raise ServerUnavailableError(
                f"NATS does not take events at NATS_URL ({type(error).__name__}). Start the server or correct NATS_URL."
            ) from error

    def _wait(self, work: Coroutine[None, None, None], seconds: float) -> None:
        future: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    async def _publish(self, rows: Sequence[OutboxRow]) -> None:
        client = await self._connected()
        stream = client.jetstream(timeout=ACK_SECONDS)
        # Created in order and sent on one connection: the stream stores them in that order.
        sent = [
            stream.publish(row.subject, row.payload, headers={"Nats-Msg-Id": str(row.id)}, stream=STREAM)
            for row in rows
        ]
        await asyncio.gather(*sent)

    async def _connected(self) -> Client:
        if self._client is None or self._client.is_closed:
            self._client = await nats.connect(
                self._url, max_reconnect_attempts=-1, connect_timeout=5, allow_reconnect=True, error_cb=_report
            )
            await _ensure_stream(self._client)
        return self._client

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.close()


async def _report(error: Exception) -> None:
    log.warning("nats_connection_error", error=type(error).__name__)


async def _ensure_stream(client: Client) -> None:
    """The stream with every subject of ours, made on first use and brought up to date afterwards."""
    manager = client.jetstream()
    config = StreamConfig(
        name=STREAM,
        subjects=list(SUBJECTS),
        storage=StorageType.FILE,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
    )
    try:
        await manager.add_stream(config)
    except BadRequestError:
        await manager.update_stream(config)


def relay_once(database: Database, publisher: Publisher) -> int:
    """How many events were published and marked; at most one batch."""
    with database.begin() as connection:
        if not hold_relay_lock(connection):
            return 0
        rows = unpublished(connection, BATCH)
        if rows:
            publisher.publish(rows)
            mark_published(connection, [row.sequence for row in rows], now())
    return len(rows)


def run_relay(settings: Settings, stopping: threading.Event) -> None:
    """Publishes until ``stopping`` is set. PostgreSQL or NATS being away delays events and loses none."""
    database = open_database(settings)
    url = settings.require("database_url").replace("postgresql+psycopg://", "postgresql://", 1)
    with Publisher(settings.require("nats_url")) as publisher:
        while not stopping.is_set():
            try:
                _listen(url, stopping, lambda: relay_once(database, publisher))
            except TransientError as error:
                log.warning("relay_waits", error=type(error).__name__, reason=str(error))
                stopping.wait(WAKE_SECONDS)
    database.close()


def _listen(url: str, stopping: threading.Event, work: Callable[[], int]) -> None:
    """Does the work whenever the outbox rings, until stopping."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5, application_name="mspbyte-relay") as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            while not stopping.is_set():
                while work() == BATCH:
                    pass
                for _ in listener.notifies(timeout=WAKE_SECONDS, stop_after=1):
                    break
    except psycopg.OperationalError as error:
        raise unavailable(error) from error
