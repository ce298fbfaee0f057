"""Reading one tenant: every requested list at once, each ending on its own."""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Iterable
from dataclasses import replace
from itertools import islice

import httpx

from pipeline.domain.capture import Page, Resource
from pipeline.errors import DeadlineExceededError, PermanentError, PipelineError, ProviderRejectedError
from pipeline.providers.microsoft365 import decoding, delta, lists, tracked
from pipeline.providers.microsoft365.batch import BatchReader
from pipeline.providers.microsoft365.changed import ChangeReading
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.conclusion import Reading, Readings
from pipeline.providers.microsoft365.lists import GraphList
from pipeline.providers.microsoft365.members import MemberReading, MembersOf, Sink, spooled
from pipeline.providers.microsoft365.refusals import NonPremiumTenantError
from pipeline.providers.microsoft365.spool import Spool
from pipeline.providers.microsoft365.throttling.buckets import LARGE_ABOVE
from pipeline.providers.microsoft365.together import together
from pipeline.providers.source import IN_FULL, Since

PEOPLE = (Resource.USERS, Resource.SIGN_IN_ACTIVITY)
GROUPS = (Resource.GROUPS, Resource.GROUP_MEMBERS)
ROLES = (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS)


class TenantReading:
    """One pass over a tenant. Pages of a list go to ``sink`` once the list has ended, well or not."""

    def __init__(self, client: GraphClient, sink: Sink, *, since: Since = IN_FULL) -> None:
        self._client = client
        self._sink = sink
        self._since = since
        batches = BatchReader(client)
        self._members = MemberReading(client, batches, sink)
        self._changed = ChangeReading(client, batches, sink)

    async def read(self, wanted: Collection[Resource]) -> Readings:
        """How each wanted resource went. Errors of Microsoft's are in the readings; only the sink's own come out."""
        passes: list[Coroutine[None, None, Readings]] = [
            self._plain(source)
            for source in lists.PLAIN
            if source.resource in wanted and source is not lists.REGISTRATION_DETAILS
        ]
        if not {*PEOPLE, Resource.REGISTRATION_DETAILS}.isdisjoint(wanted):
            passes.append(self._people(wanted))
        if not set(GROUPS).isdisjoint(wanted):
            passes.append(self._groups(wanted))
        if not set(ROLES).isdisjoint(wanted):
            passes.append(self._roles(wanted))
        if Resource.SECURITY_DEFAULTS in wanted:
            passes.append(self._security_defaults())
        found = _merged(await together(passes))
        return {key: reading for key, reading in found.items() if key in wanted}

    async def _plain(self, source: GraphList) -> Readings:
        with Spool() as spool:
            error = await spooled(self._client, source, spool)
            self._pass_on(source.resource, spool)
        return {source.resource: Reading(error=error, permission=source.permission)}

    async def _security_defaults(self) -> Readings:
        source = lists.SECURITY_DEFAULTS
        try:
            body = await self._client.read_object(source.path)
        except PipelineError as error:
            return {source.resource: Reading(error=error, permission=source.permission)}
        self._sink(Page(resource=source.resource, body=b'{"value":[' + body + b"]}"))
        return {source.resource: Reading()}

    async def _people(self, wanted: Collection[Resource]) -> Readings:
        """The users and what completes them. Beside their changes the registration details stand unread."""
        with_sign_ins = Resource.SIGN_IN_ACTIVITY in wanted
        link = self._link(Resource.USERS, wanted)
        if link:
            again = with_sign_ins and bool(self._since.get(Resource.SIGN_IN_ACTIVITY))
            changed = await self._changed.users(link, with_sign_ins=again)
            if changed is not None:
                return changed
        found = await self._users(with_sign_ins=with_sign_ins) if not set(PEOPLE).isdisjoint(wanted) else {}
        if Resource.REGISTRATION_DETAILS not in wanted:
            return found
        activity = found.get(Resource.SIGN_IN_ACTIVITY, Reading())
        if isinstance(activity.error, NonPremiumTenantError):
            # It would be told the same, three times, from a bucket that holds a request every two seconds.
            return {**found, Resource.REGISTRATION_DETAILS: activity}
        return {**found, **await self._plain(lists.REGISTRATION_DETAILS)}

    async def _users(self, *, with_sign_ins: bool) -> Readings:
        """The link to their changes is asked for before the list, so that what changes meanwhile is told again."""
        token = await delta.latest(self._client, tracked.LATEST_USERS)
        found = await self._with_sign_ins() if with_sign_ins else await self._everybody()
        return {**found, Resource.USERS: replace(found[Resource.USERS], token=token)}

    async def _with_sign_ins(self) -> Readings:
        """The users with their sign-in activity; where that is refused, the users without it."""
        with Spool() as spool:
            error = await self._listed(lists.USERS_WITH_SIGN_INS, spool)
            activity = Reading(error=error, permission=lists.USERS_WITH_SIGN_INS.permission)
            if not isinstance(error, PermanentError) or isinstance(error, DeadlineExceededError):
                self._pass_on(Resource.USERS, spool)
                return {Resource.USERS: activity, Resource.SIGN_IN_ACTIVITY: activity}
        return {**await self._everybody(), Resource.SIGN_IN_ACTIVITY: activity}

    async def _everybody(self) -> Readings:
        with Spool() as spool:
            error = await self._listed(lists.USERS, spool)
            self._pass_on(Resource.USERS, spool)
        return {Resource.USERS: Reading(error=error, permission=lists.USERS.permission)}

    async def _listed(self, source: GraphList, spool: Spool) -> PipelineError | None:
        """Reads a list of users, and tells the limiter how many there are as far as it matters to it."""
        error = await spooled(self._client, source, spool)
        if error is not None:
            return error
        users = decoding.decoded(decoding.MEMBERS, spool.pages(Resource.USERS))
        count = sum(1 for _ in islice(users, LARGE_ABOVE + 1))
        if not count:
            return _nobody()
        await self._client.tenant_size(count)
        return None

    async def _groups(self, wanted: Collection[Resource]) -> Readings:
        link = self._link(Resource.GROUPS, wanted)
        changed = await self._changed.groups(link) if link else None
        if changed is not None:
            return changed
        return await self._held(lists.GROUPS, lists.group_members, tracked.LATEST_GROUPS, wanted)

    async def _roles(self, wanted: Collection[Resource]) -> Readings:
        link = self._link(Resource.DIRECTORY_ROLES, wanted)
        changed = await self._changed.roles(link) if link else None
        if changed is not None:
            return changed
        return await self._held(lists.ROLES, lists.role_members, tracked.LATEST_ROLES, wanted)

    def _link(self, resource: Resource, wanted: Collection[Resource]) -> str:
        return self._since.get(resource, "") if resource in wanted else ""

    async def _held(
        self, source: GraphList, members_of: MembersOf, latest: str, wanted: Collection[Resource]
    ) -> Readings:
        """Groups or roles, and the members of each. Without the whole list there are no whole members."""
        token = await delta.latest(self._client, latest)
        with Spool() as spool:
            error = await spooled(self._client, source, spool)
            ids = [] if error else _ids(source.resource, spool)
            self._pass_on(source.resource, spool)
        holders = Reading(error=error, permission=source.permission, token=token)
        members = members_of("").resource
        if members not in wanted:
            return {source.resource: holders}
        reading = replace(holders, token="") if error else await self._members.read(members_of, ids)
        return {source.resource: holders, members: reading}

    def _pass_on(self, resource: Resource, spool: Spool) -> None:
        for page in spool.pages(resource):
            self._sink(page)


def _merged(parts: Iterable[Readings]) -> Readings:
    return {resource: reading for part in parts for resource, reading in part.items()}


def _ids(resource: Resource, spool: Spool) -> list[str]:
    """The ids of a list, each once: paging may repeat an object."""
    return list(dict.fromkeys(item.id for _, item in decoding.decoded(decoding.MEMBERS, spool.pages(resource))))


def _nobody() -> ProviderRejectedError:
    """A tenant has at least the user who made it: a list of nobody is a fault of the answer, not a small tenant."""
    return ProviderRejectedError(
        "Microsoft gave an empty list of users, which no tenant has; nothing is concluded from it.",
        code="emptyUserList",
        status=httpx.codes.OK,
    )
