"""One Microsoft 365 tenant as a ``TenantSource``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from pipeline.domain.capture import Changes, Edges, Entities, Page, ReadOutcome, Resource
from pipeline.errors import DeadlineExceededError
from pipeline.providers.microsoft365 import normalize
from pipeline.providers.microsoft365.auth import Credentials, TenantTokens, TokenStore
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.clouds import scope_of
from pipeline.providers.microsoft365.conclusion import Readings, concluded
from pipeline.providers.microsoft365.reading import TenantReading
from pipeline.providers.microsoft365.throttling.limiter import Limiter
from pipeline.providers.microsoft365.throttling.store import PaceStore
from pipeline.providers.retry import REAL, STANDARD, Clock, RetryPolicy
from pipeline.providers.source import IN_FULL, Since
from pipeline.providers.trust import trusting

GRAPH = "https://graph.microsoft.com"
AUTHORITY = "https://login.microsoftonline.com"


class Microsoft365Source:
    """A tenant read through Microsoft Graph. Asynchronous inside, synchronous outside.

    ``base_url`` and ``authority`` name the cloud, or a local Graph whose certificate ``ca_path`` vouches for.
    ``deadline`` is a reading of ``clock.monotonic``; ``scheduled`` reads give way to interactive ones. Timeouts are
    seconds. One ``store`` serves a whole process, and so does ``pace``, by which Microsoft's limits are kept; without
    it only Microsoft's own 429 holds requests back.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str = GRAPH,
        authority: str = AUTHORITY,
        ca_path: Path | None = None,
        store: TokenStore | None = None,
        pace: PaceStore | None = None,
        deadline: float | None = None,
        scheduled: bool = False,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        request_timeout: float = 100.0,
        concurrency: int = 8,
        retry: RetryPolicy = STANDARD,
        clock: Clock = REAL,
    ) -> None:
        self._credentials = credentials
        self._base_url = base_url.rstrip("/")
        self._authority = authority
        self._ca_path = ca_path
        self._store = store or TokenStore()
        self._pace = pace
        self._deadline = deadline
        self._scheduled = scheduled
        self._timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        self._request_timeout = request_timeout
        self._concurrency = concurrency
        self._retry = retry
        self._clock = clock

    def read(
        self,
        resources: Sequence[Resource],
        sink: Callable[[Page], None],
        *,
        since: Since = IN_FULL,
    ) -> Mapping[Resource, ReadOutcome]:
        """See ``TenantSource``. Besides, raises ``DeadlineExceededError`` when the deadline passes meanwhile."""
        return concluded(asyncio.run(self._readings(resources, sink, since)))

    def entities(self, pages: Iterable[Page]) -> Entities:
        return normalize.entities(pages)

    def edges(self, pages: Iterable[Page]) -> Edges:
        return normalize.edges(pages)

    def changes(self, pages: Iterable[Page]) -> Changes:
        return normalize.changes(pages)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[GraphClient]:
        """A client of the tenant that has signed in."""
        context = trusting(self._ca_path, "GRAPH_CA_FILE")
        limits = httpx.Limits(max_connections=self._concurrency)
        hooks = {"request": [self._end_in_time]}
        with httpx.Client(verify=context, timeout=self._timeout, event_hooks=hooks) as sign_in:
            async with httpx.AsyncClient(verify=context, timeout=self._timeout, limits=limits) as http:
                client = self._client(http, self._tokens(sign_in))
                await client.sign_in()
                yield client

    async def _readings(self, resources: Sequence[Resource], sink: Callable[[Page], None], since: Since) -> Readings:
        async with self.connected() as client:
            return await TenantReading(client, sink, since=since).read(resources)

    def _end_in_time(self, request: httpx.Request) -> None:
        """A sign-in ends with the run's time at the latest; it is a thread's, which nothing else would end."""
        if self._deadline is None:
            return
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise DeadlineExceededError("the run's time was up before Microsoft had signed the application in")
        given = self._timeout.as_dict()
        request.extensions["timeout"] = {key: left if most is None else min(most, left) for key, most in given.items()}

    def _tokens(self, http: httpx.Client) -> TenantTokens:
        scope = scope_of(self._base_url, self._authority)
        return TenantTokens(self._credentials, authority=self._authority, scope=scope, store=self._store, http=http)

    def _client(self, http: httpx.AsyncClient, tokens: TenantTokens) -> GraphClient:
        return GraphClient(
            http,
            tokens,
            base_url=self._base_url,
            limiter=self._limiter(),
            deadline=self._deadline,
            scheduled=self._scheduled,
            request_timeout=self._request_timeout,
            concurrency=self._concurrency,
            retry=self._retry,
            clock=self._clock,
        )

    def _limiter(self) -> Limiter | None:
        if self._pace is None:
            return None
        app, tenant = self._credentials.client_id, self._credentials.tenant_id
        return Limiter(self._pace, app=app, tenant=tenant, low=self._scheduled, clock=self._clock)
