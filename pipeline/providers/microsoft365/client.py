"""Microsoft Graph over HTTP: authorized, retried within a deadline, lists followed to their end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Protocol, TypeVar

import httpx
import msgspec
import structlog

from pipeline.errors import DeadlineExceededError, ProviderRejectedError, ProviderUnavailableError, TransientError
from pipeline.providers.microsoft365.refusals import ExpiredPageTokenError, NonPremiumTenantError, graph_error
from pipeline.providers.microsoft365.retry import REAL, STANDARD, Clock, RetryPolicy
from pipeline.providers.microsoft365.spool import Spool

log = structlog.get_logger(__name__)

T = TypeVar("T")
USER_AGENT = "ISV|MSPByte|Pipeline/0.1"
"""The form Microsoft asks independent vendors for."""


class Envelope(msgspec.Struct):
    """A page without looking into it."""

    value: msgspec.Raw
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Tokens(Protocol):
    """Blocking sources of bearer tokens."""

    def token(self) -> str: ...

    def replace(self, rejected: str) -> str: ...


class GraphClient:
    """Reads of one tenant. ``deadline`` is on the clock's monotonic scale; ``None`` for no end.

    Every request passes ``_send``; that is where a limiter belongs.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: Tokens,
        *,
        base_url: str,
        deadline: float | None = None,
        scheduled: bool = False,
        request_timeout: float = 100.0,
        concurrency: int = 8,
        retry: RetryPolicy = STANDARD,
        clock: Clock = REAL,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._root = httpx.URL(base_url.rstrip("/") + "/v1.0")
        self._deadline = deadline
        self._scheduled = scheduled
        self._request_timeout = request_timeout
        self._slots = asyncio.Semaphore(concurrency)
        self._retry = retry
        self._clock = clock
        self._token = ""
        self._token_lock = asyncio.Lock()

    async def sign_in(self) -> None:
        """Fetch a token now, so that a tenant that refuses us says so before anything is read."""
        await self._retried(self._bearer)

    async def read_object(self, path: str) -> bytes:
        """The JSON text of a single object."""
        url = str(self._root) + path
        body, _ = await self._retried(partial(self._fetch, url, dict[str, msgspec.Raw], eventual=False))
        return body

    async def read_list(self, path: str, spool: Spool, *, eventual: bool = False) -> None:
        """All pages of a list into ``spool``, which holds what was read so far if this raises.

        ``eventual`` sends ``ConsistencyLevel: eventual`` with every page. An expired page token throws the
        partial result away and starts again.
        """
        for remaining in reversed(range(self._retry.list_attempts)):
            spool.clear()
            try:
                return await self._follow(str(self._root) + path, spool, eventual=eventual)
            except ExpiredPageTokenError:
                if not remaining:
                    raise
                log.info("graph_list_restarted", remaining=remaining)
        return None

    async def _follow(self, first: str, spool: Spool, *, eventual: bool) -> None:
        link: str | None = first
        followed: set[str] = set()
        while link is not None:
            followed.add(link)
            body, page = await self._retried(partial(self._fetch, link, Envelope, eventual=eventual))
            spool.add(body)
            link = page.next_link
            if link in followed:
                raise ProviderRejectedError("Microsoft's list leads back into itself", code="pageLoop", status=200)

    async def _retried(self, operation: Callable[[], Awaitable[T]]) -> T:
        for attempt in count():
            try:
                return await operation()
            except (TransientError, NonPremiumTenantError) as error:
                await self._pause(attempt, error)
        raise AssertionError  # count() has no end; mypy can't know

    async def _pause(self, attempt: int, error: TransientError | NonPremiumTenantError) -> None:
        """Wait before the next try; raise the error where there is no next try or no time for it."""
        non_premium = isinstance(error, NonPremiumTenantError)
        tries = self._retry.premium_attempts if non_premium else self._retry.attempts
        asked_for = error.retry_after if isinstance(error, TransientError) else None
        wait = self._retry.wait(0 if non_premium else attempt, asked_for, self._clock.random())
        if attempt + 1 >= tries or wait > min(self._retry.longest_wait, self._time_left()):
            raise error
        log.info("graph_retry", attempt=attempt + 1, wait_ms=round(wait * 1000), error=type(error).__name__)
        await self._clock.sleep(wait)

    def _time_left(self) -> float:
        return float("inf") if self._deadline is None else self._deadline - self._clock.monotonic()

    async def _fetch(self, url: str, shape: type[T], *, eventual: bool) -> tuple[bytes, T]:
        """One answer's text and content; an answer that is cut short is as good as none."""
        response = await self._authorized(url, eventual=eventual)
        if response.status_code != httpx.codes.OK:
            request_id = response.headers.get("request-id", "")
            log.info("graph_refused", status=response.status_code, request_id=request_id)
            raise graph_error(response)
        try:
            return response.content, msgspec.json.decode(response.content, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProviderUnavailableError("Microsoft's answer was cut short") from error

    async def _authorized(self, url: str, *, eventual: bool) -> httpx.Response:
        """The answer; a rejected token is replaced once: it may have been revoked before its time."""
        token = await self._bearer()
        response = await self._send(url, token, eventual=eventual)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return response
        return await self._send(url, await self._bearer(rejected=token), eventual=eventual)

    async def _bearer(self, rejected: str | None = None) -> str:
        async with self._token_lock:  # of many requests that meet the same 401, the first one replaces the token
            if rejected is not None and rejected == self._token:
                self._token = await asyncio.to_thread(self._tokens.replace, rejected)
            elif not self._token:
                self._token = await asyncio.to_thread(self._tokens.token)
            return self._token

    async def _send(self, url: str, token: str, *, eventual: bool) -> httpx.Response:
        address = self._checked(url)
        async with self._slots:
            timeout = min(self._request_timeout, self._time_left())
            if timeout <= 0:
                raise DeadlineExceededError("the run's time was up before Microsoft had answered everything")
            try:
                async with asyncio.timeout(timeout):
                    return await self._http.get(address, headers=self._headers(token, eventual=eventual))
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

    def _headers(self, token: str, *, eventual: bool) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            "client-request-id": str(uuid.uuid4()),
        }
        if self._scheduled:
            headers["x-ms-throttle-priority"] = "low"
        if eventual:
            headers["ConsistencyLevel"] = "eventual"
        return headers
