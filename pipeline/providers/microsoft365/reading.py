"""Reading one tenant: every requested list at once, each ending on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import TypeVar

import httpx

from pipeline.domain.capture import Page, Resource
from pipeline.errors import (
    DeadlineExceededError,
    PermanentError,
    PipelineError,
    ProviderRejectedError,
)
from pipeline.providers.microsoft365 import decoding, lists
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.conclusion import Reading
from pipeline.providers.microsoft365.lists import GraphList
from pipeline.providers.microsoft365.spool import Spool

MEMBER_READERS = 8
"""Member lists of one tenant that are asked for at a time."""

T = TypeVar("T")
Readings = Mapping[Resource, Reading]
Sink = Callable[[Page], None]


class TenantReading:
    """One pass over a tenant. Pages of a list go to ``sink`` once the list has ended, well or not."""

    def __init__(self, client: GraphClient, sink: Sink) -> None:
        self._client = client
        self._sink = sink

    async def read(self, wanted: Collection[Resource]) -> Readings:
        """How each wanted resource went. Errors of Microsoft's are in the readings; only the sink's own come out."""
        passes: list[Coroutine[None, None, Readings]] = [
            self._plain(source) for source in lists.PLAIN if source.resource in wanted
        ]
        if not {Resource.USERS, Resource.SIGN_IN_ACTIVITY}.isdisjoint(wanted):
            passes.append(self._users(with_sign_ins=Resource.SIGN_IN_ACTIVITY in wanted))
        if not {Resource.GROUPS, Resource.GROUP_MEMBERS}.isdisjoint(wanted):
            passes.append(self._held(lists.GROUPS, lists.group_members, wanted))
        if not {Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS}.isdisjoint(wanted):
            passes.append(self._held(lists.ROLES, lists.role_members, wanted))
        if Resource.SECURITY_DEFAULTS in wanted:
            passes.append(self._security_defaults())
        found = await _together(passes)
        return {key: reading for part in found for key, reading in part.items() if key in wanted}

    async def _plain(self, source: GraphList) -> Readings:
        spool = Spool()
        error = await self._spooled(source, spool)
        self._pass_on(source.resource, spool)
        return {source.resource: Reading(error=error, permission=source.permission)}

    async def _users(self, *, with_sign_ins: bool) -> Readings:
        """The users with their sign-in activity; where that is refused, the users without it."""
        if not with_sign_ins:
            return await self._everybody()
        spool = Spool()
        error = await self._spooled(lists.USERS_WITH_SIGN_INS, spool) or _nobody(spool)
        activity = Reading(error=error, permission=lists.USERS_WITH_SIGN_INS.permission)
        if isinstance(error, PermanentError) and not isinstance(error, DeadlineExceededError):
            return {**await self._everybody(), Resource.SIGN_IN_ACTIVITY: activity}
        self._pass_on(Resource.USERS, spool)
        return {Resource.USERS: activity, Resource.SIGN_IN_ACTIVITY: activity}

    async def _everybody(self) -> Readings:
        spool = Spool()
        error = await self._spooled(lists.USERS, spool) or _nobody(spool)
        self._pass_on(Resource.USERS, spool)
        return {Resource.USERS: Reading(error=error, permission=lists.USERS.permission)}

    async def _security_defaults(self) -> Readings:
        source = lists.SECURITY_DEFAULTS
        try:
            body = await self._client.read_object(source.path)
        except PipelineError as error:
            return {source.resource: Reading(error=error, permission=source.permission)}
        self._sink(Page(resource=source.resource, body=b'{"value":[' + body + b"]}"))
        return {source.resource: Reading()}

    async def _held(
        self, source: GraphList, members_of: Callable[[str], GraphList], wanted: Collection[Resource]
    ) -> Readings:
        """Groups or roles, and the members of each. Without the whole list there are no whole members."""
        spool = Spool()
        error = await self._spooled(source, spool)
        ids = [] if error else _ids(source.resource, spool)
        self._pass_on(source.resource, spool)
        holders = Reading(error=error, permission=source.permission)
        members = members_of("").resource
        if members not in wanted:
            return {source.resource: holders}
        reading = holders if error else await self._members([members_of(holder) for holder in ids], ids)
        return {source.resource: holders, members: reading}

    async def _members(self, sources: Sequence[GraphList], parents: Sequence[str]) -> Reading:
        """Read by a few readers from one queue; the first failure stops them all, the provider is in trouble then."""
        queue = iter(zip(sources, parents, strict=True))
        failed: list[Reading] = []

        async def reader() -> None:
            for source, parent in queue:
                spool = Spool()
                error = await self._spooled(source, spool)
                if error is not None and not _is_gone(error):
                    failed.append(Reading(error=error, permission=source.permission))
                if failed:
                    return
                self._pass_on(source.resource, spool, parent)

        await _together([reader() for _ in range(MEMBER_READERS)])
        return failed[0] if failed else Reading()

    async def _spooled(self, source: GraphList, spool: Spool) -> PipelineError | None:
        try:
            await self._client.read_list(source.path, spool, eventual=source.eventual)
        except PipelineError as error:
            return error
        return None

    def _pass_on(self, resource: Resource, spool: Spool, parent_id: str = "") -> None:
        for body in spool:
            self._sink(Page(resource=resource, body=body, parent_id=parent_id))


def _ids(resource: Resource, spool: Iterable[bytes]) -> list[str]:
    """The ids of a list, each once: paging may repeat an object."""
    pages = (Page(resource=resource, body=body) for body in spool)
    return list(dict.fromkeys(item.id for _, item in decoding.decoded(decoding.MEMBERS, pages)))


def _nobody(spool: Iterable[bytes]) -> ProviderRejectedError | None:
    """A tenant has at least the user who made it: a list of nobody is a fault of the answer, not a small tenant."""
    pages = (Page(resource=Resource.USERS, body=body) for body in spool)
    if next(decoding.decoded(decoding.MEMBERS, pages), None) is not None:
        return None
    return ProviderRejectedError(
        "Microsoft gave an empty list of users, which no tenant has; nothing is concluded from it.",
        code="emptyUserList",
        status=httpx.codes.OK,
    )


def _is_gone(error: PipelineError) -> bool:
    """A group that was deleted after it was listed has no members to miss."""
    return isinstance(error, ProviderRejectedError) and error.status == httpx.codes.NOT_FOUND


async def _together(passes: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """All results; a failure cancels the others and comes out as itself, not wrapped in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in passes]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
