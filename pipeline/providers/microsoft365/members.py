"""Who belongs to many groups or roles: the first page of each in batches, what is longer by its links."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import httpx

from pipeline.domain.capture import Page
from pipeline.errors import PipelineError, ProviderRejectedError
from pipeline.providers.microsoft365.batch import LARGEST, BatchReader, Found
from pipeline.providers.microsoft365.client import Envelope, GraphClient
from pipeline.providers.microsoft365.conclusion import Reading
from pipeline.providers.microsoft365.lists import GraphList
from pipeline.providers.microsoft365.refusals import ExpiredPageTokenError
from pipeline.providers.microsoft365.spool import Spool
from pipeline.providers.microsoft365.together import together

READERS = 4
"""Batches of one tenant that are asked for at a time."""

Sink = Callable[[Page], None]
MembersOf = Callable[[str], GraphList]


def is_gone(error: object) -> bool:
    """A group that was deleted after it was listed has no members to miss."""
    return isinstance(error, ProviderRejectedError) and error.status == httpx.codes.NOT_FOUND


class MemberReading:
    """Member lists of one tenant. Each goes to ``sink`` when it has been read to its end, an empty one too."""

    def __init__(self, client: GraphClient, batches: BatchReader, sink: Sink) -> None:
        self._client = client
        self._batches = batches
        self._sink = sink

    async def read(self, members_of: MembersOf, holders: Iterable[str]) -> Reading:
        """Read by a few readers from one queue; the first failure stops them all, the provider is in trouble then."""
        queue = iter(holders)
        failed: list[Reading] = []

        async def reader() -> None:
            while not failed and (chunk := list(islice(queue, LARGEST))):
                error = await self._chunk(members_of, chunk)
                if error is not None:
                    failed.append(Reading(error=error, permission=members_of("").permission))

        await together([reader() for _ in range(READERS)])
        return failed[0] if failed else Reading()

    async def _chunk(self, members_of: MembersOf, holders: list[str]) -> PipelineError | None:
        """The first error, after passing on what could be read."""
        try:
            answers = await self._batches.read([members_of(holder).path for holder in holders], Envelope)
        except PipelineError as error:
            return error
        passed = [
            await self._list(members_of(holder), holder, answer)
            for holder, answer in zip(holders, answers, strict=True)
        ]
        return next((error for error in passed if error is not None and not is_gone(error)), None)

    async def _list(
        self, source: GraphList, holder: str, first: Found[Envelope] | PipelineError
    ) -> PipelineError | None:
        if isinstance(first, PipelineError):
            return first
        if first.content.next_link is None:
            self._sink(Page(resource=source.resource, body=first.body, parent_id=holder))
            return None
        with Spool() as spool:
            spool.add(first.body)
            error = await self._rest(source, first.content.next_link, spool)
            if error is None:
                for body in spool:
                    self._sink(Page(resource=source.resource, body=body, parent_id=holder))
        return error

    async def _rest(self, source: GraphList, link: str, spool: Spool) -> PipelineError | None:
        try:
            await self._client.read_rest(link, spool)
        except ExpiredPageTokenError:
            return await spooled(self._client, source, spool)
        except PipelineError as error:
            return error
        return None


async def spooled(client: GraphClient, source: GraphList, spool: Spool) -> PipelineError | None:
    """The error a list ended with; its pages are in ``spool``, as far as they came."""
    try:
        await client.read_list(source.path, spool, eventual=source.eventual)
    except PipelineError as error:
        return error
    return None
