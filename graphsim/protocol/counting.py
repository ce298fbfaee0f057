"""How many there are, by arithmetic: a million users are not walked through for a total."""

from __future__ import annotations

from graphsim.directory.population import DISABLED, Persona
from graphsim.protocol.schema import GROUP, USER
from graphsim.world import membership
from graphsim.world.state import TenantState


def enabled_users(state: TenantState) -> int:
    """The enabled users: the generated ones, corrected by those who changed, came or went."""
    moved = {*state.users, *state.removed, *range(state.tenant.size, state.size)}
    before = len([one for one in moved if one < state.tenant.size and _enabled(state.tenant.persona(one))])
    now = len([one for one in moved if state.exists(one) and _enabled_now(state, one)])
    return state.tenant.population.count(_enabled, state.tenant.size) - before + now


def _enabled(persona: Persona) -> bool:
    return persona.kind not in DISABLED


def _enabled_now(state: TenantState, number: int) -> bool:
    changed = state.user_change(number).enabled
    return _enabled(state.tenant.persona(number)) if changed is None else changed


def group_members(state: TenantState, number: int, *, transitive: bool, of_type: str = "") -> int:
    """The members of a group, or those of one type; walks through their numbers only."""
    groups = membership.transitive_groups if transitive else membership.nested_groups
    users = membership.transitive_users if transitive else membership.user_numbers
    nested = 0 if of_type == USER.type_name else len(groups(state, number))
    return nested if of_type == GROUP.type_name else nested + sum(1 for _ in users(state, number))
