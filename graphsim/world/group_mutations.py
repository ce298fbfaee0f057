"""What can happen to groups and to who is in groups and roles."""

from __future__ import annotations

from graphsim.directory.roles import RolePlan, role_object_id, role_plans
from graphsim.world import membership
from graphsim.world.changes import Kind, Member, Resource
from graphsim.world.overlays import UNCHANGED, MemberChange
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError, deleted_group_of, group_of, user_of


def create_group(state: TenantState, name: str) -> int:
    """The number of a new, empty security group."""
    number = membership.highest_group(state)
    state.created_groups.append(state.now)
    state.group_names[number] = name
    _log(state, Kind.CREATED, number)
    return number


def rename_group(state: TenantState, number: int, name: str) -> None:
    state.group_names[number] = name
    _log(state, Kind.UPDATED, number, "displayName")


def delete_group(state: TenantState, number: int) -> None:
    """Puts a group into the recycle bin; it leaves the groups and roles it is in."""
    _log_memberships(state, number, added=False)
    state.removed_groups.add(number)
    _log(state, Kind.DELETED, number)


def restore_group(state: TenantState, number: int) -> None:
    """Takes a group out of the recycle bin, with its members."""
    state.removed_groups.discard(number)
    _log(state, Kind.RESTORED, number)
    _log_memberships(state, number, added=True)


def purge_group(state: TenantState, key: str) -> int:
    """Removes a group for good, by way of the recycle bin; its number."""
    try:
        number = deleted_group_of(state, key)
    except ScenarioError:
        number = group_of(state, key)
        delete_group(state, number)
    state.purged_groups.add(number)
    _log(state, Kind.PURGED, number)
    return number


def change_group_member(state: TenantState, number: int, *, user: str, group: str, added: bool) -> None:
    """A user or another group comes into a group or leaves it; nothing happens to one that is there, or isn't."""
    before = state.group_members.get(number, UNCHANGED)
    change, member, inside = _moved(state, before, user=user, group=group, added=added)
    if member.type_name == "user":
        present = membership.has_user(state, number, inside)
    else:
        if added and (inside == number or number in membership.transitive_groups(state, inside)):
            raise ScenarioError("a group can't be a member of itself, not even through other groups")
        present = inside in membership.nested_groups(state, number)
    if present != added:
        state.group_members[number] = change
        _log(state, Kind.UPDATED, number, "members", member=member)


def change_role_member(state: TenantState, plan: RolePlan, *, user: str, group: str, added: bool) -> None:
    """A user or group is given a role or loses it; nothing happens to one that has it, or hasn't."""
    before = state.role_members.get(plan.template_id, UNCHANGED)
    change, member, inside = _moved(state, before, user=user, group=group, added=added)
    holders = membership.role_users if member.type_name == "user" else membership.role_groups
    if (inside in holders(state, plan)) != added:
        state.role_members[plan.template_id] = change
        _log_role(state, plan, member)


def _moved(
    state: TenantState, before: MemberChange, *, user: str, group: str, added: bool
) -> tuple[MemberChange, Member, int]:
    if bool(user) == bool(group):
        raise ScenarioError("say who: either user or group, and not both")
    if user:
        number = user_of(state, user)
        member = Member(type_name="user", id=state.tenant.user_id(number), added=added)
        return before.with_user(number, added=added), member, number
    number = group_of(state, group)
    member = Member(type_name="group", id=state.tenant.group_id(number), added=added)
    return before.with_group(number, added=added), member, number


def _log(state: TenantState, kind: Kind, number: int, *properties: str, member: Member | None = None) -> None:
    group_id = state.tenant.group_id(number)
    state.log.add(state.seconds, Resource.GROUPS, kind, group_id, *properties, member=member)


def _log_role(state: TenantState, plan: RolePlan, member: Member) -> None:
    role_id = role_object_id(state.tenant, plan)
    state.log.add(state.seconds, Resource.ROLES, Kind.UPDATED, role_id, "members", member=member)


def _log_memberships(state: TenantState, number: int, *, added: bool) -> None:
    member = Member(type_name="group", id=state.tenant.group_id(number), added=added)
    for outer in membership.groups_with_group(state, number):
        _log(state, Kind.UPDATED, outer, "members", member=member)
    for plan in role_plans(state.tenant):
        if number in membership.role_groups(state, plan):
            _log_role(state, plan, member)
