"""A whole tenant as the pages a sync would read, without HTTP: for benchmarks and in-memory sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import msgspec

from graphsim.directory import roles
from graphsim.directory.tenants import Tenant
from graphsim.policies import access
from graphsim.protocol.odata import Query
from graphsim.reading import lists
from graphsim.reading.collection import Collection
from graphsim.reading.listing import SIGN_IN_PAGE, Wanted, page
from graphsim.reading.reads import Place
from graphsim.world import membership
from graphsim.world.state import TenantState

SERVICE = "https://graph.microsoft.com/v1.0"
USER_PROPERTIES = (
    "id",
    "userPrincipalName",
    "displayName",
    "accountEnabled",
    "userType",
    "createdDateTime",
    "assignedLicenses",
    "licenseAssignmentStates",
    "onPremisesSyncEnabled",
    "signInActivity",
)
"""What the captured users are read with; without a premium licence, all but ``signInActivity``."""
_WHOLE_LISTS = (
    lists.POLICIES,
    lists.NAMED_LOCATIONS,
    lists.STRENGTHS,
    lists.SKUS,
    lists.ROLE_DEFINITIONS,
    lists.SUBSCRIPTIONS,
    lists.APPLICATIONS,
    lists.ORGANIZATION,
)


def capture_pages(tenant: Tenant | TenantState, now: datetime | None = None) -> Iterator[tuple[str, str, bytes]]:
    """``(resource, parent id, page)`` for everything a sync reads of a tenant, users first.

    Resource names are those of the pipeline's captures; ``groupMembers`` and ``directoryRoleMembers`` come once or
    more for each group and role. A tenant without a premium licence has no ``userRegistrationDetails`` pages and
    users without sign-in activity: what Graph would refuse is left out. ``now`` overrides a generated tenant's date.
    """
    state = tenant if isinstance(tenant, TenantState) else TenantState(tenant=replace(tenant, now=now or tenant.now))
    premium = state.tenant.posture.premium
    properties = USER_PROPERTIES if premium else USER_PROPERTIES[:-1]
    yield from _pages(state, lists.USERS, Query(select=properties, top=SIGN_IN_PAGE))
    if premium:
        yield from _pages(state, lists.REGISTRATIONS, Query(top=lists.REGISTRATIONS.limit))
    yield from _pages(state, lists.GROUPS, Query(top=lists.GROUPS.limit))
    ids = Query(select=("id",), top=lists.GROUP_MEMBERS.limit)
    for number in membership.group_numbers(state):
        yield from _pages(state, lists.GROUP_MEMBERS, ids, key=state.tenant.group_id(number))
    yield from _pages(state, lists.DIRECTORY_ROLES, Query())
    for plan in roles.role_plans(state.tenant):
        role_id = roles.role_object_id(state.tenant, plan)
        yield from _pages(state, lists.ROLE_MEMBERS, Query(select=("id",)), key=role_id)
    yield from _pages(state, lists.ROLE_ASSIGNMENTS, Query(expand=("principal",)))
    for collection in _WHOLE_LISTS:
        yield from _pages(state, collection, Query())
    defaults = {"value": [access.security_defaults(state.tenant)]}
    yield "securityDefaults", "", msgspec.json.encode(defaults)


def _pages(state: TenantState, collection: Collection, query: Query, key: str = "") -> Iterator[tuple[str, str, bytes]]:
    following: list[int] = [0]

    def link(position: int) -> str:
        following.append(position)
        return f"{SERVICE}/{'/'.join(collection.path)}?$skiptoken={position}"

    while following:
        place = Place(key=key, start=following.pop(), ids_only=query.select == ("id",))
        wanted = Wanted(collection=collection, query=query, place=place)
        yield collection.resource, key, page(state, wanted, service=SERVICE, link=link)
