"""Where Microsoft delivers change notifications: checked, stored, answered within a second.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipeline.domain.subscriptions import LIFECYCLE_PATH, NOTIFICATIONS_PATH
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.stages.notifications import NO_DELIVERY, Notification, debounce_of, items_of, receive
from pipeline.storage.database import Database

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 0.9
"""From the headers of a delivery to our answer. Microsoft calls an endpoint slow that takes three seconds."""
LONGEST_BODY = 1_048_576
"""Some 1,500 notifications."""
LONGEST_TOKEN = 2_048
THREADS = 8
WAITING = 32
"""Deliveries that may wait for a thread; more are told to come again."""
OPEN = 128
"""Deliveries that are read and answered at the same time; what they hold in memory is thereby bounded."""
AGAIN = {"Retry-After": "10"}
CLOSED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""A token is shown to whoever asks, so no browser may take it for a page."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Notifications:
    """The endpoint. Nothing is connected before the first delivery."""

    settings: Settings
    clock: Callable[[], datetime] = _utc_now
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _database: Database | None = None
    _threads: ThreadPoolExecutor | None = None
    _open: int = 0
    _under_way: int = 0

    def routes(self) -> list[Route]:
        """Both kinds of notification are told apart by their content, so either may come to either path."""
        return [Route(path, self.deliver, methods=["POST"]) for path in (NOTIFICATIONS_PATH, LIFECYCLE_PATH)]

    async def deliver(self, request: Request) -> Response:
        """202 once everything genuine in the delivery is committed; also when nothing in it was.

        200 with the token for Microsoft's question whether we are here, 400 and 413 for what Microsoft never sends,
        503 when it could not be stored in time: Microsoft then delivers it again, for four hours.
        """
        token = request.query_params.get("validationToken")
        if token is not None:
            return _echo(token)
        if self._open >= OPEN or self._under_way >= THREADS + WAITING:
            log.warning("notifications_refused", open=self._open, under_way=self._under_way)
            return PlainTextResponse("Too much at once; deliver it again.\n", 503, headers=AGAIN)
        self._open += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._stored(request)
        except (TimeoutError, PipelineError, ClientDisconnect) as error:
            log.warning("notifications_not_stored", error=type(error).__name__)
            return PlainTextResponse("Not stored; deliver it again.\n", 503, headers=AGAIN)
        finally:
            self._open -= 1

    async def _stored(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse(f"At most {LONGEST_BODY} bytes.\n", 413)
        try:
            items = items_of(body)
        except NO_DELIVERY:
            return PlainTextResponse("Not a collection of change notifications.\n", 400)
        await self._in_thread(items)
        return Response(status_code=202)

    async def _in_thread(self, items: Sequence[Notification | None]) -> None:
        """Returns when the items are stored. A thread that is given up on stays counted until it ends."""
        self._threads = self._threads or ThreadPoolExecutor(THREADS, thread_name_prefix="notifications")
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._receive, items)
        self._under_way += 1
        work.add_done_callback(self._ended)
        # Shielded: what a thread has begun it ends, and it must not be counted as gone before.
        await asyncio.shield(work)

    def _ended(self, work: asyncio.Future[None]) -> None:
        self._under_way -= 1
        if not work.cancelled():
            work.exception()  # seen here, for nobody may be waiting any more

    def _receive(self, items: Sequence[Notification | None]) -> None:
        receive(self._opened(), items, self.clock(), debounce_of(self.settings))

    def _opened(self) -> Database:
        with self._lock:
            if self._database is None:
                url = self.settings.require("database_url")
                slow = self.settings.slow_query_threshold_ms
                self._database = Database(url, slow_ms=slow, pool_size=THREADS, impatient=True)
            return self._database

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._database is not None:
                self._database.close()


def _echo(token: str) -> Response:
    """The token as plain text. Microsoft's never holds markup, so escaping it changes no genuine one."""
    if len(token) > LONGEST_TOKEN:
        return PlainTextResponse("No validation token is that long.\n", 400, headers=CLOSED)
    return PlainTextResponse(token.replace("<", "&lt;").replace(">", "&gt;"), headers=CLOSED)


async def _body(request: Request) -> bytes | None:
    """The body, ``None`` as soon as it is longer than allowed."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)
