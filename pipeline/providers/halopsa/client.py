"""HaloPSA over HTTP: authorized, retried within a deadline, lists followed to their announced end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import TypeVar

import httpx
import msgspec
import structlog

from pipeline.errors import DeadlineExceededError, ProviderRejectedError, ProviderUnavailableError, TransientError
from pipeline.providers.halopsa.auth import Credentials, TokenCache, fetch_token
from pipeline.providers.halopsa.instance import Instance
from pipeline.providers.halopsa.lists import HaloList, Listed, Record
from pipeline.providers.halopsa.normalize import malformed
from pipeline.providers.halopsa.refusals import list_error
from pipeline.providers.retry import Clock, RetryPolicy

log = structlog.get_logger(__name__)

T = TypeVar("T")
PAGE_SIZE = 500
LONGEST_REQUEST = 100.0
"""Seconds after which an answer that trickles in is given up."""


class ChangedMeanwhileError(TransientError):
    """A list did not give what it announced; records moved from page to page while it was read, or are kept from us."""


class HaloClient:
    """Reads of one instance. ``deadline`` is on the clock's monotonic scale; ``None`` for no end."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        place: Instance,
        credentials: Credentials,
        *,
        tokens: TokenCache,
        deadline: float | None,
        retry: RetryPolicy,
        clock: Clock,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._http = http
        self._place = place
        self._credentials = credentials
        self._tokens = tokens
        self._deadline = deadline
        self._retry = retry
        self._clock = clock
        self._page_size = page_size

    async def sign_in(self) -> None:
        """Fetch a token now, so that an instance that refuses us says so before anything is read."""
        await self._retried(self._token)

    async def read_list(self, source: HaloList, pages: list[list[Record]]) -> None:
        """All pages of a list into ``pages``, which holds what the last try read if this raises.

        A list whose records do not come to what it announced is read again, bounded; ``ChangedMeanwhileError`` then.
        """
        for remaining in reversed(range(self._retry.list_attempts)):
            pages.clear()
            try:
                return await self._follow(source, pages)
            except ChangedMeanwhileError:
                if not remaining:
                    raise
                log.info("halopsa_list_restarted", resource=source.resource.value, remaining=remaining)
        return None

    async def _follow(self, source: HaloList, pages: list[list[Record]]) -> None:
        seen: set[int] = set()
        announced: set[int] = set()
        for number in count(1):
            page = await self._retried(partial(self._page, source, number))
            pages.append(list(page.rows))
            announced.add(page.record_count)
            before = len(seen)
            seen |= {row.id for row in page.rows}
            if len(seen) >= page.record_count or len(seen) == before:
                break
        if source.never_empty and not seen:
            raise ProviderRejectedError(
                f"HaloPSA gave an empty list of {source.resource.value}, which none has; nothing is concluded from it. "
                "Check what the application's agent may see.",
                code="emptyList",
                status=httpx.codes.OK,
            )
        if announced != {len(seen)}:
            raise ChangedMeanwhileError(
                f"HaloPSA announced {max(announced)} {source.resource.value} and gave {len(seen)}; what is missing "
                "may be hidden from the application's agent"
            )

    async def _retried(self, operation: Callable[[], Awaitable[T]]) -> T:
        for attempt in count():
            try:
                return await operation()
            except TransientError as error:
                await self._pause(attempt, error)
        raise AssertionError  # count() has no end; mypy can't know

    async def _pause(self, attempt: int, error: TransientError) -> None:
        """Wait before the next try; raise the error where there is no next try or no time for it."""
        wait = self._retry.wait(attempt, error.retry_after, self._clock.random())
        if attempt + 1 >= self._retry.attempts or wait > min(self._retry.longest_wait, self._time_left()):
            raise error
        log.info("halopsa_retry", attempt=attempt + 1, wait_ms=round(wait * 1000), error=type(error).__name__)
        await self._clock.sleep(wait)

    def _time_left(self) -> float:
        return float("inf") if self._deadline is None else self._deadline - self._clock.monotonic()

    async def _page(self, source: HaloList, number: int) -> Listed:
        response = await self._authorized(source, number)
        if response.status_code != httpx.codes.OK:
            log.info("halopsa_refused", resource=source.resource.value, status=response.status_code)
            raise list_error(response, source.permission)
        try:
            return msgspec.json.decode(response.content, type=source.shape)
        except msgspec.ValidationError as error:
            raise malformed(source.resource, error) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProviderUnavailableError("HaloPSA's answer was cut short") from error

    async def _authorized(self, source: HaloList, number: int) -> httpx.Response:
        """The answer; a rejected token is replaced once: it may have been revoked before its time."""
        token = await self._token()
        response = await self._get(source, number, token)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return response
        self._tokens.drop(self._place, self._credentials.client_id, token)
        return await self._get(source, number, await self._token())

    async def _token(self) -> str:
        now = self._clock.monotonic()
        known = self._tokens.get(self._place, self._credentials.client_id, now)
        if known is not None:
            return known
        fresh = await self._within(partial(fetch_token, self._http, self._place, self._credentials, now=now))
        self._tokens.put(self._place, self._credentials.client_id, fresh)
        return fresh.text

    async def _get(self, source: HaloList, number: int, token: str) -> httpx.Response:
        """``order`` holds the pages still while they are read."""
        paging = {"pageinate": "true", "page_size": str(self._page_size), "page_no": str(number), "order": "id"}
        address = f"{self._place.root}{source.path}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        query = {**source.query, **paging}
        return await self._within(partial(self._http.get, address, params=query, headers=headers))

    async def _within(self, request: Callable[[], Awaitable[T]]) -> T:
        """The answer, if the whole of it comes before the deadline and in bearable time."""
        timeout = min(LONGEST_REQUEST, self._time_left())
        if timeout <= 0:
            raise DeadlineExceededError("the run's time was up before HaloPSA had answered everything")
        try:
            async with asyncio.timeout(timeout):
                return await request()
        except (httpx.RequestError, TimeoutError) as error:
            raise ProviderUnavailableError(f"HaloPSA cannot be reached ({type(error).__name__})") from error
