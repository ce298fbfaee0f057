"""What users and groups belong to, who owns them, and any directory object by its id; positions as in ``reads``."""

from __future__ import annotations

from itertools import islice

from graphsim.directory import app_registrations, roles
from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError, not_found
from graphsim.protocol.schema import ROLE, SERVICE_PRINCIPAL
from graphsim.reading import consents
from graphsim.reading.reads import Entries, Place, find_group, find_role, find_user, group_member, listed, user_member
from graphsim.world import membership
from graphsim.world.state import TenantState


def user_member_of(state: TenantState, place: Place) -> Entries:
    """The groups and roles a user is directly in."""
    user = find_user(state, place.key)
    groups = membership.groups_with_user(state, user)
    plans = [plan for plan in roles.role_plans(state.tenant) if user in membership.role_users(state, plan)]
    return _memberships(state, groups, plans, place)


def user_transitive_member_of(state: TenantState, place: Place) -> Entries:
    user = find_user(state, place.key)
    groups = _outwards(state, membership.groups_with_user(state, user))
    plans = [
        plan
        for plan in roles.role_plans(state.tenant)
        if user in membership.role_users(state, plan) or set(membership.role_groups(state, plan)) & set(groups)
    ]
    return _memberships(state, groups, plans, place)


def group_member_of(state: TenantState, place: Place) -> Entries:
    number = find_group(state, place.key)
    plans = [plan for plan in roles.role_plans(state.tenant) if number in membership.role_groups(state, plan)]
    return _memberships(state, membership.groups_with_group(state, number), plans, place)


def group_transitive_member_of(state: TenantState, place: Place) -> Entries:
    number = find_group(state, place.key)
    groups = _outwards(state, membership.groups_with_group(state, number))
    every = {number, *groups}
    plans = [plan for plan in roles.role_plans(state.tenant) if every & set(membership.role_groups(state, plan))]
    return _memberships(state, groups, plans, place)


def _outwards(state: TenantState, inner: list[int]) -> list[int]:
    seen: set[int] = set()
    queue = list(inner)
    while queue:
        number = queue.pop()
        if number not in seen:
            seen.add(number)
            queue += membership.groups_with_group(state, number)
    return sorted(seen)


def _memberships(state: TenantState, groups: list[int], plans: list[roles.RolePlan], place: Place) -> Entries:
    held = [{"@odata.type": f"#{ROLE.type_name}", **roles.role(state.tenant, plan)} for plan in plans]
    return listed([group_member(state, number) for number in groups] + held, place)


def group_owners(state: TenantState, place: Place) -> Entries:
    """A Microsoft 365 group is owned by its first member, as whoever makes one owns it; nobody owns the others."""
    number = find_group(state, place.key)
    unified = membership.group_plan(state, number).unified
    owners = islice(membership.user_numbers(state, number), 1) if unified else iter(())
    return listed([user_member(state, owner) for owner in owners], place)


def no_owners(_state: TenantState, place: Place) -> Entries:
    """Applications that were registered by the provider have no owner."""
    return listed([], place)


def directory_object(state: TenantState, key: str) -> Json:
    """The user, group, role or service principal of an id, with its type, or Graph's 404."""
    for look in (_user, _group, _role, _principal):
        try:
            return look(state, key)
        except GraphError:
            continue
    raise not_found(key)


def _user(state: TenantState, key: str) -> Json:
    return user_member(state, find_user(state, key))


def _group(state: TenantState, key: str) -> Json:
    return group_member(state, find_group(state, key))


def _role(state: TenantState, key: str) -> Json:
    return {"@odata.type": f"#{ROLE.type_name}", **roles.role(state.tenant, find_role(state, key))}


def _principal(state: TenantState, key: str) -> Json:
    tenant = state.tenant
    if key == consents.graph_principal_id(tenant):
        found = consents.graph_principal(tenant)
    else:
        found = app_registrations.service_principal(tenant, app_registrations.find_principal(tenant, key))
    return {"@odata.type": f"#{SERVICE_PRINCIPAL.type_name}", **found}
