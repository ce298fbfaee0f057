"""One HaloPSA as a ``TenantSource``."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence

import httpx
import msgspec

from pipeline.domain.capture import COMPLETE, Changes, Edges, Entities, Page, ReadOutcome, Resource
from pipeline.errors import DeadlineExceededError, PipelineError, TenantUnreachableError, TransientError
from pipeline.providers.halopsa import normalize
from pipeline.providers.halopsa.auth import Credentials, TokenCache
from pipeline.providers.halopsa.client import PAGE_SIZE, ChangedMeanwhileError, HaloClient
from pipeline.providers.halopsa.instance import Instance
from pipeline.providers.halopsa.lists import LISTS, HaloList, Record
from pipeline.providers.halopsa.refusals import MissingPermissionError
from pipeline.providers.retry import REAL, STANDARD, Clock, RetryPolicy
from pipeline.providers.source import IN_FULL, Since

Sink = Callable[[Page], None]


class HaloPsaSource:
    """A HaloPSA read through its REST API. Asynchronous inside, synchronous outside.

    ``deadline`` is a reading of ``clock.monotonic``; timeouts are seconds. One ``tokens`` serves a whole process.
    The lists are read one after the other: HaloPSA answers 429 past 700 requests in five minutes (may change) from all
    that is connected to an instance, and these are few.
    """

    def __init__(
        self,
        place: Instance,
        credentials: Credentials,
        *,
        trust: ssl.SSLContext | None = None,
        tokens: TokenCache | None = None,
        deadline: float | None = None,
        timeout: float = 60.0,
        page_size: int = PAGE_SIZE,
        retry: RetryPolicy = STANDARD,
        clock: Clock = REAL,
    ) -> None:
        self._place = place
        self._credentials = credentials
        self._trust = trust
        self._tokens = tokens or TokenCache()
        self._deadline = deadline
        self._timeout = timeout
        self._page_size = page_size
        self._retry = retry
        self._clock = clock

    def read(
        self,
        resources: Sequence[Resource],
        sink: Sink,
        *,
        since: Since = IN_FULL,  # noqa: ARG002 - HaloPSA tells no changes: what was deleted is just not there
    ) -> Mapping[Resource, ReadOutcome]:
        """See ``TenantSource``. Besides, raises ``DeadlineExceededError`` when the deadline passes meanwhile."""
        return concluded(asyncio.run(self._readings(resources, sink)))

    def entities(self, pages: Iterable[Page]) -> Entities:
        return normalize.entities(pages)

    def edges(self, pages: Iterable[Page]) -> Edges:
        return normalize.edges(pages)

    def changes(self, pages: Iterable[Page]) -> Changes:
        return normalize.changes(pages)

    async def _readings(self, resources: Sequence[Resource], sink: Sink) -> Mapping[Resource, PipelineError | None]:
        verify = self._trust or httpx.create_ssl_context()
        async with httpx.AsyncClient(verify=verify, timeout=self._timeout) as http:
            client = HaloClient(
                http,
                self._place,
                self._credentials,
                tokens=self._tokens,
                deadline=self._deadline,
                retry=self._retry,
                clock=self._clock,
                page_size=self._page_size,
            )
            await client.sign_in()
            return {one.resource: await _read(client, one, sink) for one in LISTS if one.resource in resources}


async def _read(client: HaloClient, source: HaloList, sink: Sink) -> PipelineError | None:
    """How the list ended: ``None``, or the error that ended it. What was read of it is passed on."""
    pages: list[list[Record]] = []
    try:
        await client.read_list(source, pages)
    except PipelineError as error:
        failed: PipelineError | None = error
    else:
        failed = None
    for rows in pages:
        sink(Page(resource=source.resource, body=msgspec.json.encode({"value": rows})))
    return failed


def concluded(readings: Mapping[Resource, PipelineError | None]) -> Mapping[Resource, ReadOutcome]:
    """Each resource's outcome, when at least something could be read; otherwise raises.

    ``TenantUnreachableError`` when HaloPSA refused everything, the transient error when trying again may help,
    ``DeadlineExceededError`` when time was up. A list that gave less than it announced is no error, only incomplete,
    and so is a missing permission where the clients were not asked for: by their reading the instance is judged.
    """
    errors = [error for error in readings.values() if error is not None]
    for error in errors:
        if isinstance(error, DeadlineExceededError):
            raise error
    if errors and len(errors) == len(readings):
        refused = [error for error in errors if isinstance(error, TenantUnreachableError)]
        if len(refused) == len(errors) and (
            Resource.CLIENTS in readings or not all(isinstance(error, MissingPermissionError) for error in refused)
        ):
            raise refused[0]
        for error in errors:
            if isinstance(error, TransientError) and not isinstance(error, ChangedMeanwhileError):
                raise error
    return {
        resource: COMPLETE if error is None else ReadOutcome(complete=False, reason=str(error).rstrip("."))
        for resource, error in readings.items()
    }
