"""How many there are, by arithmetic: a million users are not walked through for a total."""

from __future__ import annotations

from graphsim.population import DISABLED, Persona
from graphsim.state import TenantState


def enabled_users(state: TenantState) -> int:
    """The enabled users: the generated ones, corrected by those who changed, came or went."""
    moved = {*state.users, *state.removed, *range(state.tenant.size, state.size)}
    before = sum(number < state.tenant.size and _enabled(state.tenant.persona(number)) for number in moved)
    now = sum(state.exists(number) and _enabled_now(state, number) for number in moved)
    return state.tenant.population.count(_enabled, state.tenant.size) - before + now


def _enabled(persona: Persona) -> bool:
    return persona.kind not in DISABLED


def _enabled_now(state: TenantState, number: int) -> bool:
    changed = state.user_change(number).enabled
    return _enabled(state.tenant.persona(number)) if changed is None else changed
