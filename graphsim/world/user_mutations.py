"""What can happen to users. Each change is logged with the properties it shows up in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from graphsim.directory.roles import role_object_id, role_plans
from graphsim.world import membership
from graphsim.world.changes import Kind, Member, Resource
from graphsim.world.overlays import UserChange
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError, deleted_user_of, product_of, user_of

SignInKind = Literal["interactive", "failed", "non_interactive"]


def create_user(state: TenantState) -> int:
    """The number of a new employee: enabled, no licence, never signed in, in its department's groups."""
    number = state.size
    state.created += 1
    state.users[number] = UserChange(created_at=state.now)
    _log(state, Kind.CREATED, number)
    _log_memberships(state, number, added=True)
    return number


def enable(state: TenantState, number: int, *, enabled: bool) -> None:
    """Unblocks or blocks a user."""
    state.users[number] = replace(state.user_change(number), enabled=enabled)
    _log(state, Kind.UPDATED, number, "accountEnabled")


def sign_in(state: TenantState, number: int, kind: SignInKind = "interactive", at: datetime | None = None) -> None:
    """A sign-in, now or at a given moment; a failed one is an attempt only.

    https://learn.microsoft.com/graph/api/resources/signinactivity. Delta does not tell of it.
    """
    when = at or state.now
    if when.tzinfo is None:
        raise ScenarioError("the moment of a sign-in needs a time zone, such as 2026-01-31T08:15:00Z")
    change = state.user_change(number)
    if kind == "failed":
        change = replace(change, interactive_at=when)
    elif kind == "interactive":
        change = replace(change, interactive_at=when, successful_at=when)
    else:
        change = replace(change, non_interactive_at=when, successful_at=when)
    state.users[number] = change
    _log(state, Kind.UPDATED, number, "signInActivity")


def delete(state: TenantState, number: int) -> None:
    """Puts a user into the recycle bin; its memberships come back when it is restored."""
    _log_memberships(state, number, added=False)
    state.removed.add(number)
    _log(state, Kind.DELETED, number)


def restore(state: TenantState, number: int) -> None:
    """Takes a user out of the recycle bin."""
    state.removed.discard(number)
    _log(state, Kind.RESTORED, number)
    _log_memberships(state, number, added=True)


def purge(state: TenantState, key: str) -> int:
    """Removes a user for good, by way of the recycle bin; its number."""
    try:
        number = deleted_user_of(state, key)
    except ScenarioError:
        number = user_of(state, key)
        delete(state, number)
    state.purged.add(number)
    _log(state, Kind.PURGED, number)
    return number


def give_license(state: TenantState, number: int, sku: str) -> None:
    """Assigns a licence directly; the tenant may come to use more than it bought."""
    product = product_of(state, sku)
    change = state.user_change(number)
    kept = tuple(each for each in change.licensed if each[0] != product.id)
    given = (*kept, (product.id, state.now))
    state.users[number] = replace(change, licensed=given, unlicensed=change.unlicensed - {product.id})
    _log(state, Kind.UPDATED, number, "assignedLicenses", "licenseAssignmentStates")


def take_license(state: TenantState, number: int, sku: str) -> None:
    """Takes a licence away, however it was assigned."""
    product = product_of(state, sku)
    change = state.user_change(number)
    kept = tuple(each for each in change.licensed if each[0] != product.id)
    state.users[number] = replace(change, licensed=kept, unlicensed=change.unlicensed | {product.id})
    _log(state, Kind.UPDATED, number, "assignedLicenses", "licenseAssignmentStates")


def register_mfa(state: TenantState, number: int) -> None:
    """The user registers Microsoft Authenticator; told by the registration report, not by delta."""
    state.users[number] = replace(state.user_change(number), registered_at=state.now)
    _log(state, Kind.UPDATED, number, "authenticationMethods")


def _log(state: TenantState, kind: Kind, number: int, *properties: str) -> None:
    state.log.add(state.seconds, Resource.USERS, kind, state.tenant.user_id(number), *properties)


def _log_memberships(state: TenantState, number: int, *, added: bool) -> None:
    """A user who goes leaves its groups and roles: their deltas tell that."""
    member = Member(type_name="user", id=state.tenant.user_id(number), added=added)
    for group in membership.groups_with_user(state, number):
        group_id = state.tenant.group_id(group)
        state.log.add(state.seconds, Resource.GROUPS, Kind.UPDATED, group_id, "members", member=member)
    for plan in role_plans(state.tenant):
        if number in membership.role_users(state, plan):
            role_id = role_object_id(state.tenant, plan)
            state.log.add(state.seconds, Resource.ROLES, Kind.UPDATED, role_id, "members", member=member)
