"""What can happen to a tenant's policies, products, consent and tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from graphsim.directory.catalog import Sku
from graphsim.world.changes import Kind, Resource
from graphsim.world.policy_overlays import PolicyChange
from graphsim.world.state import TenantState
from graphsim.world.subscribed import LifecycleEvent
from graphsim.world.targets import ScenarioError, group_of, user_of

Lifecycle = Literal["reauthorizationRequired", "subscriptionRemoved", "missed"]


def set_policy_state(state: TenantState, policy_id: str, policy_state: str) -> None:
    _change_policy(state, policy_id, "state", replace(_policy_change(state, policy_id), state=policy_state))


def delete_policy(state: TenantState, policy_id: str) -> None:
    state.policy_changes[policy_id] = replace(_policy_change(state, policy_id), gone=True)
    state.log.add(state.seconds, Resource.POLICIES, Kind.PURGED, policy_id)


def exclude_from_policy(state: TenantState, policy_id: str, *, user: str, group: str) -> None:
    """A user or a group no longer has to satisfy the policy."""
    if bool(user) == bool(group):
        raise ScenarioError("say who: either user or group, and not both")
    change = _policy_change(state, policy_id)
    if user:
        user_id = state.tenant.user_id(user_of(state, user))
        change = replace(change, exclude_users=(*change.exclude_users, user_id))
    else:
        group_id = state.tenant.group_id(group_of(state, group))
        change = replace(change, exclude_groups=(*change.exclude_groups, group_id))
    _change_policy(state, policy_id, "conditions", change)


def _policy_change(state: TenantState, policy_id: str) -> PolicyChange:
    before = state.policy_changes.get(policy_id)
    return replace(before, at=state.now) if before else PolicyChange(at=state.now)


def _change_policy(state: TenantState, policy_id: str, what: str, change: PolicyChange) -> None:
    state.policy_changes[policy_id] = change
    state.log.add(state.seconds, Resource.POLICIES, Kind.UPDATED, policy_id, what)


def buy_seats(state: TenantState, sku: Sku, seats: int) -> None:
    """Buys more seats of a product, which the tenant subscribes to if it hasn't."""
    if sku not in state.products:
        state.bought.append(sku)
    set_seats(state, sku, state.enabled_units(sku) + seats)


def set_seats(state: TenantState, sku: Sku, seats: int) -> None:
    """How many seats of a product are bought altogether."""
    state.units[sku.id] = seats
    state.log.add(state.seconds, Resource.SKUS, Kind.UPDATED, sku.id, "prepaidUnits")


def set_consent(state: TenantState, *, granted: bool) -> None:
    """Whether the application may read."""
    state.consent = granted
    _log(state, "consent")


def expire_tokens(state: TenantState) -> None:
    """Access tokens given so far are no longer good."""
    state.token_generation += 1
    _log(state, "accessTokens")


def expire_pages(state: TenantState) -> None:
    """Links to next pages given so far are no longer good."""
    state.page_generation += 1
    _log(state, "pageTokens")


def expire_deltas(state: TenantState) -> None:
    """Delta tokens given so far are no longer good."""
    state.delta_generation += 1
    _log(state, "deltaTokens")


def set_delta_disorder(state: TenantState, *, on: bool) -> None:
    state.delta_disorder = on
    _log(state, "deltaDisorder")


def set_delta_refusal(state: TenantState, form: str) -> None:
    state.delta_refusal = form
    _log(state, "deltaRefusal")


def send_lifecycle(state: TenantState, subscription_id: str, event: Lifecycle) -> None:
    """Tells a subscription's lifecycle endpoint, or everyone's when none is named; a removed one is gone then."""
    chosen = [each for each in state.subscriptions.live(state.seconds) if subscription_id in {"", each.id}]
    if not chosen:
        raise ScenarioError(f"the tenant has no subscription {subscription_id}".rstrip())
    for subscription in chosen:
        state.subscriptions.events.append(LifecycleEvent(subscription=subscription, event=event))
        if event == "subscriptionRemoved":
            del state.subscriptions.held[subscription.id]
    _log(state, "subscriptions")


def _log(state: TenantState, what: str) -> None:
    state.log.add(state.seconds, Resource.TENANT, Kind.UPDATED, state.tenant.id, what)
