"""Sends notifications while the server runs: on its event loop, without threads, ending with it.

Failed and slow attempts are repeated with growing pauses. Of what is waiting for one address a bounded number is kept.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import urlsplit

import httpx

from graphsim.directory.tenants import Json
from graphsim.notifying.endpoints import (
    ANSWER_SECONDS,
    HANDSHAKE_SECONDS,
    PENALTY_SECONDS,
    Endpoint,
    Standing,
    is_loopback,
    pauses,
)
from graphsim.notifying.notifications import Notification, collect
from graphsim.world.state import TenantState

BATCH = 10
WAITING = 10_000
_AT_ONCE = 8


@dataclass(kw_only=True, slots=True)
class Tally:
    """How many notifications went which way since the simulator started."""

    delivered: int = 0
    retried: int = 0
    dropped: int = 0


@dataclass(kw_only=True, slots=True)
class Notifier:
    """``ca`` is the file with which endpoints' certificates are verified; ``scale`` shortens or stretches pauses.

    Endpoints have ``handshake_seconds`` to return the token and ``answer_seconds`` to take notifications.
    """

    clock: Callable[[], float]
    ca: str = ""
    scale: float = 1.0
    handshake_seconds: float = HANDSHAKE_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    tally: Tally = field(default_factory=Tally)
    _states: dict[str, TenantState] = field(default_factory=dict)
    _endpoints: dict[str, Endpoint] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self, state: TenantState) -> None:
        """Tells a tenant's subscribers from now on."""
        self._states[state.tenant.id] = state
        state.log.listener = self.ring

    def ring(self) -> None:
        """Something changed; may be called by any thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._bell.set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Delivers for as long as the block lasts."""
        self._loop, self._bell = asyncio.get_running_loop(), asyncio.Event()
        verified, trusting = self._client(loopback=False), self._client(loopback=True)
        async with verified, trusting:
            self._spawn(self._run(lambda url: trusting if _is_local(url) else verified))
            try:
                yield
            finally:
                self._loop = None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handshake(self, url: str, token: str) -> str:
        """Empty when the endpoint gave the token back as Graph demands, else what was wrong, in Graph's words."""
        async with self._client(loopback=_is_local(url)) as client:
            try:
                async with asyncio.timeout(self.handshake_seconds):
                    answer = await client.post(
                        httpx.URL(url).copy_merge_params({"validationToken": token}),
                        headers={"Content-Type": "text/plain; charset=utf-8"},
                    )
            except TimeoutError:
                return f"The request timed out after {self.handshake_seconds:g} seconds."
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
                return "Notification endpoint could not be reached."
        if answer.status_code != httpx.codes.OK:
            return "Notification endpoint must respond with 200 OK to validation request."
        if not answer.headers.get("content-type", "").lower().startswith("text/plain"):
            return "Notification endpoint must respond with content type text/plain."
        if answer.text != token:
            return "Response must exactly match validationToken query parameter."
        return ""

    def _client(self, *, loopback: bool) -> httpx.AsyncClient:
        """Without a CA, endpoints on this machine are not verified: nobody else can answer there."""
        if self.ca or not loopback:
            context = ssl.create_default_context(cafile=self.ca or None)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return httpx.AsyncClient(verify=context, trust_env=False, timeout=HANDSHAKE_SECONDS, follow_redirects=False)

    async def _run(self, client_for: Callable[[str], httpx.AsyncClient]) -> None:
        gates: dict[str, asyncio.Semaphore] = {}
        while True:
            self._bell.clear()
            due = [each for state in list(self._states.values()) for each in collect(state)]
            for url, batch in self._batches(due):
                gate = gates.setdefault(url, asyncio.Semaphore(_AT_ONCE))
                self._spawn(self._deliver(client_for(url), url, batch, gate))
            await self._bell.wait()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _batches(self, due: list[Notification]) -> Iterable[tuple[str, list[Notification]]]:
        for url, same in groupby(sorted(due, key=lambda each: each.url), key=lambda each: each.url):
            endpoint = self._endpoints.setdefault(url, Endpoint(since=self.clock()))
            mine = list(same)
            kept = [] if endpoint.standing(self.clock()) is Standing.DROPPED else mine[: WAITING - endpoint.waiting]
            endpoint.waiting += len(kept)
            self.tally.dropped += len(mine) - len(kept)
            yield from ((url, kept[place : place + BATCH]) for place in range(0, len(kept), BATCH))

    async def _deliver(
        self, client: httpx.AsyncClient, url: str, batch: list[Notification], gate: asyncio.Semaphore
    ) -> None:
        endpoint = self._endpoints[url]
        throttled = endpoint.standing(self.clock()) is Standing.THROTTLED
        try:
            for pause in (PENALTY_SECONDS if throttled else 0.0, *pauses()):
                await asyncio.sleep(pause * self.scale)
                wanted = [each.body for each in batch if each.wanted]
                if not wanted:
                    return
                async with gate:
                    told = await self._post(client, url, wanted, endpoint)
                if told:
                    self.tally.delivered += len(wanted)
                    return
                self.tally.retried += len(wanted)
            self.tally.dropped += len(batch)
        finally:
            endpoint.waiting -= len(batch)

    async def _post(self, client: httpx.AsyncClient, url: str, value: list[Json], endpoint: Endpoint) -> bool:
        """Whether the endpoint took it in time."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.answer_seconds):
                answer = await client.post(url, json={"value": value})
        except (TimeoutError, httpx.HTTPError):
            return False
        else:
            return answer.is_success
        finally:
            endpoint.record(time.monotonic() - begun, self.clock())


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
