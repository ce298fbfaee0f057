"""Microsoft Graph over HTTP: retried within a deadline, lists followed to their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import count
from typing import TypeVar

import httpx
import msgspec
import structlog

from pipeline.errors import ProviderRejectedError, ProviderUnavailableError, TransientError
from pipeline.providers.microsoft365.exchange import GraphExchange, GraphRequest, Tokens
from pipeline.providers.microsoft365.refusals import ExpiredPageTokenError, NonPremiumTenantError
from pipeline.providers.microsoft365.spool import Spool
from pipeline.providers.microsoft365.throttling.limiter import Limiter, Tally
from pipeline.providers.retry import REAL, STANDARD, Clock, RetryPolicy

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Envelope(msgspec.Struct):
    """A page without looking into it."""

    value: msgspec.Raw
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class GraphClient:
    """Requests to one tenant. ``deadline`` is on the clock's monotonic scale; ``None`` for no end.

    Without a ``limiter`` nothing but Microsoft's own 429 holds requests back.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: Tokens,
        *,
        base_url: str,
        limiter: Limiter | None = None,
        deadline: float | None = None,
        scheduled: bool = False,
        request_timeout: float = 100.0,
        concurrency: int = 8,
        retry: RetryPolicy = STANDARD,
        clock: Clock = REAL,
    ) -> None:
        self._root = base_url.rstrip("/") + "/v1.0"
        self._limiter = limiter
        self._retry = retry
        self._clock = clock
        self._exchange = GraphExchange(
            http,
            tokens,
            root=httpx.URL(self._root),
            limiter=limiter,
            deadline=deadline,
            scheduled=scheduled,
            request_timeout=request_timeout,
            concurrency=concurrency,
            clock=clock,
        )

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def tally(self) -> Tally:
        """What the limiter did so far."""
        return self._limiter.tally if self._limiter else Tally()

    async def sign_in(self) -> None:
        """Fetch a token now, so that a tenant that refuses us says so before anything is read."""
        await self._retried(self._exchange.bearer)

    async def tenant_size(self, users: int) -> None:
        """Microsoft's limits grow with the tenant's number of users; until it is told, the smallest hold."""
        if self._limiter:
            await self._limiter.tenant_size(users)

    async def throttled(self, url: str, retry_after: float | None) -> None:
        """Tell of a 429 that came inside a batch: its bucket is held back for everybody."""
        if self._limiter:
            await self._limiter.throttled(url, retry_after)

    def address(self, path: str) -> str:
        """The whole URL of a path."""
        return self._root + path

    async def read_object(self, path: str) -> bytes:
        """The JSON text of a single object."""
        body, _ = await self._answered(GraphRequest(url=self.address(path)), dict[str, msgspec.Raw])
        return body

    async def read_page(self, url: str, shape: type[T]) -> T:
        """One page by its link, decoded."""
        _, page = await self._answered(GraphRequest(url=url), shape)
        return page

    async def post_json(self, path: str, body: bytes, *, items: Iterable[str] = ()) -> bytes:
        """The JSON text of the answer to a POST that may be repeated without harm: it is, after trouble.

        ``items`` are the URLs of the requests within a batch: room is made for each of them before the batch goes,
        as Microsoft judges each by itself. A batch holds requests of ``Bucket.IDENTITY`` only.
        """
        request = GraphRequest(url=self.address(path), method="POST", body=body, items=tuple(items))
        answer, _ = await self._answered(request, dict[str, msgspec.Raw])
        return answer

    async def request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The answer's body, which may be empty, to any request that may be repeated without harm."""
        return await self._retried(
            partial(self._exchange.answer, GraphRequest(url=self.address(path), method=method, body=body))
        )

    async def read_list(self, path: str, spool: Spool, *, eventual: bool = False) -> None:
        """All pages of a list into ``spool``, which holds what was read so far if this raises.

        ``eventual`` sends ``ConsistencyLevel: eventual`` with every page. An expired page token throws the
        partial result away and starts again.
        """
        for remaining in reversed(range(self._retry.list_attempts)):
            spool.clear()
            try:
                return await self._follow(self.address(path), spool, eventual=eventual)
            except ExpiredPageTokenError:
                if not remaining:
                    raise
                log.info("graph_list_restarted", remaining=remaining)
        return None

    async def read_rest(self, link: str, spool: Spool) -> None:
        """The pages of a list from a ``@odata.nextLink`` on; an expired page token is an error here."""
        await self._follow(link, spool, eventual=False)

    async def _follow(self, first: str, spool: Spool, *, eventual: bool) -> None:
        link: str | None = first
        followed: set[str] = set()
        while link is not None:
            followed.add(link)
            body, page = await self._answered(GraphRequest(url=link, eventual=eventual), Envelope)
            spool.add(body)
            link = page.next_link
            if link in followed:
                raise ProviderRejectedError("Microsoft's list leads back into itself", code="pageLoop", status=200)

    async def _answered(self, request: GraphRequest, shape: type[T]) -> tuple[bytes, T]:
        """One answer's text and content; an answer that is cut short is as good as none."""

        async def once() -> tuple[bytes, T]:
            body = await self._exchange.answer(request)
            try:
                return body, msgspec.json.decode(body, type=shape)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ProviderUnavailableError("Microsoft's answer was cut short") from error

        return await self._retried(once)

    async def _retried(self, operation: Callable[[], Awaitable[T]]) -> T:
        for attempt in count():
            try:
                return await operation()
            except (TransientError, NonPremiumTenantError) as error:
                await self._pause(attempt, error)
        raise AssertionError  # count() has no end; mypy can't know

    async def _pause(self, attempt: int, error: TransientError | NonPremiumTenantError) -> None:
        wait = self.wait_after(attempt, error)
        log.info("graph_retry", attempt=attempt + 1, wait_ms=round(wait * 1000), error=type(error).__name__)
        await self._clock.sleep(wait)

    def wait_after(self, attempt: int, error: TransientError | NonPremiumTenantError) -> float:
        """Seconds before the next try; raises the error where there is no next try or no time for it."""
        non_premium = isinstance(error, NonPremiumTenantError)
        tries = self._retry.premium_attempts if non_premium else self._retry.attempts
        asked_for = error.retry_after if isinstance(error, TransientError) else None
        wait = self._retry.wait(0 if non_premium else attempt, asked_for, self._clock.random())
        if attempt + 1 >= tries or wait > min(self._retry.longest_wait, self._exchange.time_left()):
            raise error
        return wait
