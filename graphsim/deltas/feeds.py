"""The lists that have a delta, by number: https://learn.microsoft.com/graph/delta-query-overview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from graphsim.directory import roles
from graphsim.directory.tenants import Json
from graphsim.protocol import schema
from graphsim.protocol.schema import EntityShape
from graphsim.world import membership
from graphsim.world.changes import Resource
from graphsim.world.state import TenantState

Entry = tuple[int, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """How a list is read for its delta. Members are ``(position of what follows, object)`` from a position on."""

    resource: Resource
    shape: EntityShape
    numbers: Callable[[TenantState, int], Iterator[int]]
    number_of: Callable[[TenantState, str], int | None]
    """The number of an object that exists now, ``None`` for others."""
    body: Callable[[TenantState, int], Json]
    purged: Callable[[TenantState, str], bool]
    """Whether an object that is gone can't be restored."""
    members: Callable[[TenantState, int, int], Iterator[Entry]] | None = None

    @property
    def tracked(self) -> frozenset[str]:
        """The properties that are told of when none are selected."""
        return frozenset(self.shape.default or self.shape.known)


def member_entry(type_name: str, object_id: str, *, added: bool = True) -> Json:
    entry: Json = {"@odata.type": f"#microsoft.graph.{type_name}", "id": object_id}
    return entry if added else entry | {"@removed": {"reason": "deleted"}}


def _user_numbers(state: TenantState, start: int) -> Iterator[int]:
    return (number for number in range(start, state.size) if number not in state.removed)


def _user_number(state: TenantState, user_id: str) -> int | None:
    number = state.tenant.user_number(user_id)
    return number if state.exists(number) else None


def _user_body(state: TenantState, number: int) -> Json:
    body = state.user(number)
    body.pop("signInActivity", None)
    return body


def _group_number(state: TenantState, group_id: str) -> int | None:
    number = state.tenant.group_number(group_id)
    return number if membership.group_exists(state, number) else None


def _group_members(state: TenantState, number: int, start: int) -> Iterator[Entry]:
    inside = (each for each in membership.nested_groups(state, number) if each >= start)
    users = membership.user_numbers(state, number, max(0, start - membership.USERS_FROM))
    return chain(
        ((each + 1, member_entry("group", state.tenant.group_id(each))) for each in inside),
        ((membership.USERS_FROM + each + 1, member_entry("user", state.tenant.user_id(each))) for each in users),
    )


def _role_number(state: TenantState, role_id: str) -> int | None:
    ids = [roles.role_object_id(state.tenant, plan) for plan in roles.role_plans(state.tenant)]
    return ids.index(role_id) if role_id in ids else None


def _role_body(state: TenantState, number: int) -> Json:
    return roles.role(state.tenant, roles.role_plans(state.tenant)[number])


def _role_members(state: TenantState, number: int, start: int) -> Iterator[Entry]:
    plan = roles.role_plans(state.tenant)[number]
    users = [member_entry("user", state.tenant.user_id(each)) for each in membership.role_users(state, plan)]
    inside = [member_entry("group", state.tenant.group_id(each)) for each in membership.role_groups(state, plan)]
    every = users + inside
    return ((place + 1, every[place]) for place in range(start, len(every)))


USERS = Feed(
    resource=Resource.USERS,
    shape=schema.USER,
    numbers=_user_numbers,
    number_of=_user_number,
    body=_user_body,
    purged=lambda state, user_id: state.tenant.user_number(user_id) in state.purged,
)
GROUPS = Feed(
    resource=Resource.GROUPS,
    shape=schema.GROUP,
    numbers=membership.group_numbers,
    number_of=_group_number,
    body=membership.group_body,
    purged=lambda state, group_id: state.tenant.group_number(group_id) in state.purged_groups,
    members=_group_members,
)
ROLES = Feed(
    resource=Resource.ROLES,
    shape=schema.ROLE,
    numbers=lambda state, start: iter(range(start, len(roles.role_plans(state.tenant)))),
    number_of=_role_number,
    body=_role_body,
    purged=lambda _state, _role_id: True,
    members=_role_members,
)
