"""Groups and roles as they are now: the generated ones with the scenario's changes laid over them.

Everything is by number and ascending, and users and groups in the recycle bin are nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge

from graphsim.directory import groups, roles
from graphsim.directory.groups import FIRST_TEAM, TEAM_SIZE, GroupPlan
from graphsim.directory.roles import RolePlan
from graphsim.directory.tenants import Json, timestamp
from graphsim.world.overlays import UNCHANGED
from graphsim.world.state import TenantState

USERS_FROM = 2**33
"""Among the members of a group, users have the positions from here on and groups those before."""


def highest_group(state: TenantState) -> int:
    """One more than the highest group number."""
    return groups.group_count(state.tenant) + len(state.created_groups)


def group_exists(state: TenantState, number: int | None) -> bool:
    return number is not None and 0 <= number < highest_group(state) and number not in state.removed_groups


def group_numbers(state: TenantState, start: int = 0) -> Iterator[int]:
    return (number for number in range(start, highest_group(state)) if number not in state.removed_groups)


def group_plan(state: TenantState, number: int) -> GroupPlan:
    """What a group is, whether generated or made by a scenario, under the name it has now."""
    name = state.group_names.get(number)
    if number >= groups.group_count(state.tenant):
        return GroupPlan(number=number, name=name or f"Group {number}")
    plan = groups.plan(state.tenant, number)
    return replace(plan, name=name) if name else plan


def group_body(state: TenantState, number: int) -> Json:
    """The group object."""
    plan = group_plan(state, number)
    made = number - groups.group_count(state.tenant)
    if made < 0:
        return groups.group(state.tenant, number) | {"displayName": plan.name}
    at = timestamp(state.created_groups[made])
    return groups.described(state.tenant, plan) | {"createdDateTime": at, "renewedDateTime": at}


def nested_groups(state: TenantState, number: int) -> list[int]:
    """The groups directly in a group."""
    change = state.group_members.get(number, UNCHANGED)
    inside = (set(group_plan(state, number).nested) | change.groups_added) - change.groups_removed
    return sorted(inside - state.removed_groups)


def user_numbers(state: TenantState, number: int, start: int = 0, stop: int | None = None) -> Iterator[int]:
    """The users directly in a group, from user ``start`` on and before user ``stop``."""
    until = state.size if stop is None else stop
    change = state.group_members.get(number, UNCHANGED)
    generated = groups.user_numbers(state.tenant, group_plan(state, number), start, until)
    kept = (user for user in generated if user not in change.users_removed and user not in change.users_added)
    added = sorted(user for user in change.users_added if start <= user < until)
    return (user for user in merge(kept, added) if user not in state.removed)


def transitive_groups(state: TenantState, number: int) -> list[int]:
    """The groups inside a group at any depth, without the group itself."""
    seen: set[int] = set()
    queue = nested_groups(state, number)
    while queue:
        inside = queue.pop()
        if inside not in seen:
            seen.add(inside)
            queue.extend(nested_groups(state, inside))
    return sorted(seen - {number})


def transitive_users(state: TenantState, number: int, start: int = 0) -> Iterator[int]:
    """The users in a group at any depth of nesting, each once."""
    every = (number, *transitive_groups(state, number))
    return groups.distinct(merge(*(user_numbers(state, each, start) for each in every)))


def groups_with_user(state: TenantState, user: int) -> list[int]:
    """The groups a user is directly in; looks at few groups, however many there are."""
    team = FIRST_TEAM + user // TEAM_SIZE
    overlaid = (number for number, change in state.group_members.items() if user in change.users_added)
    candidates = sorted({*range(FIRST_TEAM), team, *overlaid})
    return [number for number in candidates if group_exists(state, number) and has_user(state, number, user)]


def has_user(state: TenantState, number: int, user: int) -> bool:
    return next(user_numbers(state, number, user, user + 1), None) is not None


def groups_with_group(state: TenantState, number: int) -> list[int]:
    """The groups a group is directly nested in."""
    overlaid = (outer for outer, change in state.group_members.items() if number in change.groups_added)
    candidates = sorted({*range(FIRST_TEAM), *overlaid})
    return [outer for outer in candidates if group_exists(state, outer) and number in nested_groups(state, outer)]


def role_users(state: TenantState, plan: RolePlan) -> list[int]:
    """The users who hold a role themselves."""
    change = state.role_members.get(plan.template_id, UNCHANGED)
    holders = (set(plan.users) | change.users_added) - change.users_removed
    return sorted(number for number in holders if state.exists(number))


def role_groups(state: TenantState, plan: RolePlan) -> list[int]:
    """The groups whose members hold a role."""
    change = state.role_members.get(plan.template_id, UNCHANGED)
    holders = (set(plan.groups) | change.groups_added) - change.groups_removed
    return sorted(number for number in holders if group_exists(state, number))


def is_admin(state: TenantState, user: int) -> bool:
    """Whether a user holds a role other than Directory Readers, directly or through a group."""
    if not (state.role_members or state.group_members or state.removed_groups):
        return roles.is_admin(state.tenant, user)
    return any(
        user in role_users(state, plan) or any(has_user(state, number, user) for number in role_groups(state, plan))
        for plan in roles.role_plans(state.tenant)
        if plan.template_id != roles.DIRECTORY_READERS
    )
