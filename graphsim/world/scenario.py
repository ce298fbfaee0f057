"""A few changes by id, as the bodies of the older ``/_sim`` routes; ``mutations`` has the whole vocabulary."""

from __future__ import annotations

from datetime import datetime

import msgspec

from graphsim.directory.tenants import Json
from graphsim.policies.conditional_access import STATES
from graphsim.trouble.fault_rules import FaultBody, made
from graphsim.world import tenant_mutations, user_mutations
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError, policy_of, product_of, user_of


class PolicyChange(msgspec.Struct, forbid_unknown_fields=True):
    """``state``: enabled, disabled or enabledForReportingButNotEnforced."""

    state: str


class UserBody(msgspec.Struct, forbid_unknown_fields=True):
    """``enabled`` blocks or unblocks; ``signed_in`` true, or a moment, is a successful sign-in."""

    enabled: bool | None = None
    signed_in: bool | datetime = False


class Consent(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the application may read."""

    granted: bool


class Units(msgspec.Struct, forbid_unknown_fields=True):
    """How many seats of a SKU are bought."""

    enabled: int


def change_policy(state: TenantState, policy_id: str, change: PolicyChange) -> None:
    if change.state not in STATES:
        raise ScenarioError(f"a policy's state is one of {', '.join(sorted(STATES))}, not {change.state!r}")
    tenant_mutations.set_policy_state(state, policy_of(state, policy_id), change.state)


def change_user(state: TenantState, user_id: str, change: UserBody) -> None:
    number = user_of(state, user_id)
    if change.signed_in:
        at = change.signed_in if isinstance(change.signed_in, datetime) else None
        user_mutations.sign_in(state, number, at=at)
    if change.enabled is not None:
        user_mutations.enable(state, number, enabled=change.enabled)


def create_user(state: TenantState) -> str:
    """The new user's id."""
    return state.tenant.user_id(user_mutations.create_user(state))


def remove_user(state: TenantState, user_id: str) -> None:
    """Puts a user into the recycle bin."""
    user_mutations.delete(state, user_of(state, user_id))


def set_units(state: TenantState, sku_id: str, units: Units) -> None:
    if units.enabled < 0:
        raise ScenarioError(f"enabled units are 0 or more, not {units.enabled}")
    tenant_mutations.set_seats(state, product_of(state, sku_id), units.enabled)


def add_fault(state: TenantState, body: FaultBody) -> None:
    try:
        state.faults.append(made(body))
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def describe(state: TenantState, *, secret: bool = False) -> Json:
    """A tenant for people and scripts; with its secret when asked."""
    tenant = state.tenant
    body: Json = {
        "index": tenant.index,
        "tenant_id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "client_id": tenant.client_id,
        "users": state.user_count,
        "posture": tenant.posture.policy_set.value,
        "premium": tenant.posture.premium,
        "consent": state.consent,
    }
    return body | ({"client_secret": tenant.client_secret} if secret else {})
