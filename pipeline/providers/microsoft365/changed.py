"""Reading what changed since a full reading: a delta query names the objects, and they are read again as they are now.

See docs/decisions/0009-changes-name-what-to-read-again.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice

import msgspec
import structlog

from pipeline.domain.capture import Resource
from pipeline.errors import DeadlineExceededError, PermanentError, PipelineError, TransientError
from pipeline.providers.microsoft365 import delta, lists, tracked
from pipeline.providers.microsoft365.batch import LARGEST, BatchReader
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.conclusion import Reading, Readings
from pipeline.providers.microsoft365.members import READERS, MemberReading, Sink, is_gone
from pipeline.providers.microsoft365.spool import Spool
from pipeline.providers.microsoft365.together import together

log = structlog.get_logger(__name__)

Spools = Mapping[Resource, Spool]
Reread = Callable[[delta.Named, Spools], Awaitable[bool]]
"""Fills the spools with what was named, as it is now; false where that takes a full reading."""


class ChangeReading:
    """The changes of one tenant's lists. Nothing goes to ``sink`` before all that a list's changes name has been read.

    Each method gives the readings, or ``None`` where a full reading has to take its place.
    """

    def __init__(self, client: GraphClient, batches: BatchReader, sink: Sink) -> None:
        self._client = client
        self._batches = batches
        self._sink = sink

    async def users(self, link: str, *, with_sign_ins: bool) -> Readings | None:
        path_of = tracked.user_with_sign_ins if with_sign_ins else tracked.user

        async def reread(named: delta.Named, spools: Spools) -> bool:
            await self._objects(named, path_of, spools[Resource.USERS])
            return True

        along = (Resource.SIGN_IN_ACTIVITY,) if with_sign_ins else ()
        return await self._read(link, (Resource.USERS, *along), reread)

    async def groups(self, link: str) -> Readings | None:
        async def reread(named: delta.Named, spools: Spools) -> bool:
            standing = await self._objects(named, tracked.group, spools[Resource.GROUPS])
            kept = spools[Resource.GROUP_MEMBERS]
            members = MemberReading(self._client, self._batches, lambda page: kept.add(page.body, page.parent_id))
            reading = await members.read(lists.group_members, standing)
            if reading.error is not None:
                raise reading.error
            return True

        return await self._read(link, (Resource.GROUPS, Resource.GROUP_MEMBERS), reread)

    async def roles(self, link: str) -> Readings | None:
        """Nothing, where nothing changed: roles are few, and what is read of them beside has no changes."""

        async def reread(named: delta.Named, _: Spools) -> bool:
            return not named.again and not named.purged

        return await self._read(link, (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS), reread)

    async def _read(self, link: str, resources: Sequence[Resource], reread: Reread) -> Readings | None:
        with ExitStack() as stack:
            spools = {resource: stack.enter_context(Spool()) for resource in resources}
            try:
                found = await delta.changes_since(self._client, link)
                told = found is not None and await reread(found.named, spools)
            except (TransientError, DeadlineExceededError) as error:
                return _ended(resources, error=error)
            except PermanentError as error:
                log.info("graph_changes_refused", error=type(error).__name__, code=getattr(error, "code", ""))
                return None
            if found is None or not told:
                return None
            for resource, spool in spools.items():
                for page in spool.pages(resource):
                    self._sink(page)
        return _ended(resources, token=found.link)

    async def _objects(self, named: delta.Named, path_of: Callable[[str], str], spool: Spool) -> list[str]:
        """Each named object as it is now, or as gone; gives the ids of those that stand. Raises the first error."""
        queue = iter(sorted(named.again))
        gone, standing = set(named.purged), set[str]()

        async def reader() -> None:
            while chunk := list(islice(queue, LARGEST)):
                answers = await self._batches.read([path_of(one) for one in chunk], dict[str, msgspec.Raw])
                found = dict(zip(chunk, answers, strict=True))
                for error in found.values():
                    if isinstance(error, PipelineError) and not is_gone(error):
                        raise error
                bodies = {one: answer.body for one, answer in found.items() if not isinstance(answer, PipelineError)}
                spool.add(_page(bodies.values()))
                standing.update(bodies)
                gone.update(found.keys() - bodies.keys())

        await together([reader() for _ in range(READERS)])
        if gone:
            spool.add(msgspec.json.encode({"value": [_gone(one) for one in sorted(gone)]}))
        return sorted(standing)


def _gone(object_id: str) -> Mapping[str, object]:
    return {"id": object_id, "@removed": {"reason": "deleted"}}


def _page(bodies: Collection[bytes]) -> bytes:
    return b'{"value":[' + b",".join(bodies) + b"]}"


def _ended(resources: Sequence[Resource], *, error: PipelineError | None = None, token: str = "") -> Readings:
    """The token is the first resource's; the others come with it."""
    return {
        resource: Reading(error=error, changes_only=True, token=token if resource == resources[0] else "")
        for resource in resources
    }
