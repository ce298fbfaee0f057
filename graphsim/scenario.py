"""What a scenario can do to a tenant, as the bodies of the ``/_sim`` routes and the changes they make."""

from __future__ import annotations

from datetime import datetime

import msgspec

from graphsim.conditional_access import STATES
from graphsim.state import Fault, TenantState
from graphsim.tenants import Json


class ScenarioError(Exception):
    """The scenario asked for something that can't be; the message says what."""


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


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """See ``state.Fault``."""

    status: int
    code: str = "ServiceUnavailable"
    path_contains: str = ""
    retry_after: int | None = None
    times: int = 1


def change_policy(state: TenantState, policy_id: str, change: PolicyChange) -> None:
    if not state.has_policy(policy_id):
        raise ScenarioError(f"the tenant has no policy {policy_id}")
    if change.state not in STATES:
        raise ScenarioError(f"a policy's state is one of {', '.join(sorted(STATES))}, not {change.state!r}")
    state.policy_states[policy_id] = (change.state, state.tenant.now)


def change_user(state: TenantState, user_id: str, change: UserBody) -> None:
    number = _existing(state, user_id)
    signed_in_at = change.signed_in if isinstance(change.signed_in, datetime) else None
    if signed_in_at is not None and signed_in_at.tzinfo is None:
        raise ScenarioError("signed_in needs a time zone")
    if change.signed_in is True:
        signed_in_at = state.tenant.now
    state.change_user(number, enabled=change.enabled, signed_in_at=signed_in_at)


def create_user(state: TenantState) -> str:
    """The new user's id."""
    return state.tenant.user_id(state.create_user(state.tenant.now))


def remove_user(state: TenantState, user_id: str) -> None:
    state.removed.add(_existing(state, user_id))


def set_units(state: TenantState, sku_id: str, units: Units) -> None:
    if sku_id not in {sku.id for sku in state.tenant.posture.skus}:
        raise ScenarioError(f"the tenant has no subscription to {sku_id}")
    if units.enabled < 0:
        raise ScenarioError(f"enabled units are 0 or more, not {units.enabled}")
    state.units[sku_id] = units.enabled


def add_fault(state: TenantState, body: FaultBody) -> None:
    if not 400 <= body.status <= 599 or body.times < 1:  # noqa: PLR2004 - HTTP's range of errors
        raise ScenarioError("a fault has a status from 400 to 599 and happens at least once")
    state.faults.append(
        Fault(
            path_contains=body.path_contains,
            status=body.status,
            code=body.code,
            retry_after=body.retry_after,
            times=body.times,
        )
    )


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


def _existing(state: TenantState, user_id: str) -> int:
    number = state.tenant.user_number(user_id)
    if number is None or not state.exists(number):
        raise ScenarioError(f"the tenant has no user {user_id}")
    return number
