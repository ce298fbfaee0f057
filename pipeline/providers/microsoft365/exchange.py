"""One request to Graph and its answer: admitted by the limiter, authorized, within the run's time."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Protocol

import httpx
import structlog

from pipeline.errors import DeadlineExceededError, ProviderRejectedError, ProviderUnavailableError
from pipeline.providers.microsoft365.refusals import graph_error
from pipeline.providers.microsoft365.throttling.limiter import Limiter
from pipeline.providers.retry import Clock, seconds_asked_for

log = structlog.get_logger(__name__)

USER_AGENT = "ISV|MSPByte|Pipeline/0.1"
"""The form Microsoft asks independent vendors for."""

USE_OF_LIMIT = "x-ms-throttle-limit-percentage"
"""Sent from 0.8 on: https://learn.microsoft.com/graph/throttling-limits"""


class Tokens(Protocol):
    """Blocking sources of bearer tokens."""

    def token(self) -> str: ...

    def replace(self, rejected: str) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphRequest:
    """``url`` is whole. ``items`` are the URLs of the requests within a batch; they are what it costs."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    eventual: bool = False
    items: tuple[str, ...] = ()

    @property
    def priced(self) -> tuple[str, ...]:
        """The URLs it is charged for."""
        return self.items or (self.url,)


class GraphExchange:
    """Requests to one tenant; every one passes ``_send``. ``deadline`` is on the clock's monotonic scale."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: Tokens,
        *,
        root: httpx.URL,
        limiter: Limiter | None,
        deadline: float | None,
        scheduled: bool,
        request_timeout: float,
        concurrency: int,
        clock: Clock,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._root = root
        self._limiter = limiter
        self._deadline = deadline
        self._scheduled = scheduled
        self._request_timeout = request_timeout
        self._slots = asyncio.Semaphore(concurrency)
        self._clock = clock
        self._token = ""
        self._token_lock = asyncio.Lock()

    def time_left(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self._deadline is None else self._deadline - self._clock.monotonic()

    async def bearer(self, rejected: str | None = None) -> str:
        """A token, another than ``rejected``."""
        async with self._token_lock:  # of many requests that meet the same 401, the first one replaces the token
            if rejected is not None and rejected == self._token:
                self._token = await asyncio.to_thread(self._tokens.replace, rejected)
            elif not self._token:
                self._token = await asyncio.to_thread(self._tokens.token)
            return self._token

    async def answer(self, request: GraphRequest) -> bytes:
        """The body of a good answer; a rejected token is replaced once: it may have been revoked before its time."""
        token = await self.bearer()
        response = await self._send(request, token)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            response = await self._send(request, await self.bearer(rejected=token))
        await self._heed(request, response)
        if response.is_success:
            return response.content
        request_id = response.headers.get("request-id", "")
        log.info("graph_refused", status=response.status_code, request_id=request_id)
        raise graph_error(response)

    async def _heed(self, request: GraphRequest, response: httpx.Response) -> None:
        """Tell the limiter what Microsoft says of its limits."""
        if self._limiter is None:
            return
        url = request.priced[0]
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            await self._limiter.throttled(url, seconds_asked_for(response.headers.get("Retry-After")))
        elif used := _used(response):
            await self._limiter.nearing(url, used)

    async def _send(self, request: GraphRequest, token: str) -> httpx.Response:
        """The answer. While the request waits for its turn it leaves the connections to others."""
        address = self._checked(request.url)
        turn = self._limiter.turn(request.priced) if self._limiter else None
        while True:
            async with self._slots:
                if self._limiter and turn:
                    turn = await self._limiter.admit(turn, time_left=self.time_left())
                if turn is None or turn.wait <= 0:
                    return await self._requested(request, address, token)
            await self._clock.sleep(turn.wait)

    async def _requested(self, request: GraphRequest, address: httpx.URL, token: str) -> httpx.Response:
        timeout = min(self._request_timeout, self.time_left())
        if timeout <= 0:
            raise DeadlineExceededError("the run's time was up before Microsoft had answered everything")
        try:
            async with asyncio.timeout(timeout):
                return await self._http.request(
                    request.method, address, content=request.body, headers=self._headers(request, token)
                )
        except (httpx.RequestError, TimeoutError) as error:
            raise ProviderUnavailableError(f"Microsoft cannot be reached ({type(error).__name__})") from error

    def _checked(self, url: str) -> httpx.URL:
        """The address, if it is Graph's own: the token must not follow a link to anywhere else."""
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            address = httpx.URL("")
        if (address.scheme, address.netloc) != (self._root.scheme, self._root.netloc):
            raise ProviderRejectedError("Microsoft's list goes on at another host", code="foreignLink", status=200)
        return address

    def _headers(self, request: GraphRequest, token: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            "client-request-id": str(uuid.uuid4()),
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if self._scheduled:
            headers["x-ms-throttle-priority"] = "low"
        if request.eventual:
            headers["ConsistencyLevel"] = "eventual"
        return headers


def _used(response: httpx.Response) -> float:
    """The share of the limit that Microsoft says is used; 0 where it says nothing."""
    try:
        return float(response.headers.get(USE_OF_LIMIT, 0))
    except ValueError:
        return 0.0
