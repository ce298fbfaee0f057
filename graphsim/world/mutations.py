"""The vocabulary of everything that can happen to a tenant: the same for control routes, scenario files and people."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from graphsim.directory.roles import role_object_id
from graphsim.directory.tenants import Json
from graphsim.policies import conditional_access
from graphsim.world import group_mutations, tenant_mutations, user_mutations
from graphsim.world.actions import (
    Action,
    License,
    Lifecycle,
    Name,
    Nothing,
    Refusal,
    Seats,
    SignIn,
    Switch,
    Values,
    Who,
    action,
    on_group,
    on_policy,
    on_tenant,
    on_user,
)
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError, any_product_of, deleted_group_of, deleted_user_of, product_of, role_of


class Mutation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to do to a tenant: ``id`` names what it happens to, ``set`` holds the particulars."""

    action: str
    id: str | int = ""
    set: Values = {}


def apply(state: TenantState, mutation: Mutation) -> Json:
    """Does a mutation and tells its ``sequence`` number in the change log and the ``id`` it happened to."""
    chosen = check(mutation)
    found = chosen.apply(state, str(mutation.id), mutation.set)
    return {"action": chosen.name, "id": found, "sequence": state.log.last}


def check(mutation: Mutation) -> Action:
    """The action; ``ScenarioError`` for what can be seen to be wrong without a tenant."""
    found = _BY_NAME.get(mutation.action)
    if found is None:
        raise ScenarioError(f"there is no action {mutation.action!r}: one of {', '.join(sorted(_BY_NAME))}")
    given = str(mutation.id)
    if found.target and not given and not found.target.endswith("?"):
        raise ScenarioError(f"{found.name} needs the id of a {found.target}")
    if given and not found.target:
        raise ScenarioError(f"{found.name} takes no id")
    found.check(mutation.set)
    return found


def _create_user(state: TenantState, _key: str, _given: Nothing) -> str:
    return state.tenant.user_id(user_mutations.create_user(state))


def _restore_user(state: TenantState, key: str, _given: Nothing) -> str:
    number = deleted_user_of(state, key)
    user_mutations.restore(state, number)
    return state.tenant.user_id(number)


def _purge_user(state: TenantState, key: str, _given: Nothing) -> str:
    return state.tenant.user_id(user_mutations.purge(state, key))


def _create_group(state: TenantState, _key: str, given: Name) -> str:
    return state.tenant.group_id(group_mutations.create_group(state, given.name))


def _restore_group(state: TenantState, key: str, _given: Nothing) -> str:
    number = deleted_group_of(state, key)
    group_mutations.restore_group(state, number)
    return state.tenant.group_id(number)


def _purge_group(state: TenantState, key: str, _given: Nothing) -> str:
    return state.tenant.group_id(group_mutations.purge_group(state, key))


def _group_member(*, added: bool) -> Callable[[TenantState, int, Who], None]:
    return lambda state, number, who: group_mutations.change_group_member(
        state, number, user=str(who.user), group=str(who.group), added=added
    )


def _role_member(*, added: bool) -> Callable[[TenantState, str, Who], str]:
    def apply_to(state: TenantState, key: str, who: Who) -> str:
        plan = role_of(state, key)
        group_mutations.change_role_member(state, plan, user=str(who.user), group=str(who.group), added=added)
        return role_object_id(state.tenant, plan)

    return apply_to


def _policy_state(wanted: str) -> Callable[[TenantState, str, Nothing], None]:
    return lambda state, found, _given: tenant_mutations.set_policy_state(state, found, wanted)


def _exclude(state: TenantState, found: str, who: Who) -> None:
    tenant_mutations.exclude_from_policy(state, found, user=str(who.user), group=str(who.group))


def _buy(state: TenantState, key: str, given: Seats) -> str:
    sku = any_product_of(state, key)
    tenant_mutations.buy_seats(state, sku, given.seats)
    return sku.id


def _set_seats(state: TenantState, key: str, given: Seats) -> str:
    sku = product_of(state, key)
    tenant_mutations.set_seats(state, sku, given.seats)
    return sku.id


def _lifecycle(state: TenantState, key: str, given: Lifecycle) -> str:
    tenant_mutations.send_lifecycle(state, key, given.event)
    return key


_users, _groups, _tenant = user_mutations, group_mutations, tenant_mutations
ACTIONS: tuple[Action, ...] = (
    action("create_user", "A new employee without a licence.", "", Nothing, _create_user),
    action(
        "disable_user", "Block a user.", "user", Nothing, on_user(lambda s, n, _: _users.enable(s, n, enabled=False))
    ),
    action(
        "enable_user", "Unblock a user.", "user", Nothing, on_user(lambda s, n, _: _users.enable(s, n, enabled=True))
    ),
    action("delete_user", "Into the recycle bin.", "user", Nothing, on_user(lambda s, n, _: _users.delete(s, n))),
    action("restore_user", "Out of the recycle bin.", "user", Nothing, _restore_user),
    action("purge_user", "Gone for good.", "user", Nothing, _purge_user),
    action(
        "sign_in",
        "A sign-in: interactive, failed or non_interactive.",
        "user",
        SignIn,
        on_user(lambda s, n, given: _users.sign_in(s, n, given.kind, given.at)),
    ),
    action(
        "give_license",
        "Assign a licence (SKU id or part number).",
        "user",
        License,
        on_user(lambda s, n, given: _users.give_license(s, n, given.sku)),
    ),
    action(
        "take_license",
        "Remove a licence.",
        "user",
        License,
        on_user(lambda s, n, given: _users.take_license(s, n, given.sku)),
    ),
    action(
        "register_mfa",
        "Register a strong method.",
        "user",
        Nothing,
        on_user(lambda s, n, _: _users.register_mfa(s, n)),
    ),
    action("create_group", "A new, empty security group.", "", Name, _create_group),
    action(
        "rename_group",
        "Another name.",
        "group",
        Name,
        on_group(lambda s, n, given: _groups.rename_group(s, n, given.name)),
    ),
    action(
        "delete_group",
        "Into the recycle bin.",
        "group",
        Nothing,
        on_group(lambda s, n, _: _groups.delete_group(s, n)),
    ),
    action("restore_group", "Out of the recycle bin.", "group", Nothing, _restore_group),
    action("purge_group", "Gone for good.", "group", Nothing, _purge_group),
    action("add_member", "A user or group into a group.", "group", Who, on_group(_group_member(added=True))),
    action("remove_member", "A user or group out of a group.", "group", Who, on_group(_group_member(added=False))),
    action("add_role_member", "Give a user or group a role.", "role", Who, _role_member(added=True)),
    action("remove_role_member", "Take a role away.", "role", Who, _role_member(added=False)),
    action(
        "enable_policy", "Enforce a policy.", "policy", Nothing, on_policy(_policy_state(conditional_access.ENABLED))
    ),
    action(
        "disable_policy",
        "Switch a policy off.",
        "policy",
        Nothing,
        on_policy(_policy_state(conditional_access.DISABLED)),
    ),
    action(
        "report_only_policy",
        "Only report what a policy would do.",
        "policy",
        Nothing,
        on_policy(_policy_state(conditional_access.REPORT_ONLY)),
    ),
    action(
        "delete_policy",
        "Remove a policy.",
        "policy",
        Nothing,
        on_policy(lambda s, found, _: _tenant.delete_policy(s, found)),
    ),
    action("exclude_from_policy", "Exclude a user or group.", "policy", Who, on_policy(_exclude)),
    action("buy_seats", "Buy more seats, of a new product too.", "product", Seats, _buy),
    action("set_seats", "How many seats are bought.", "product", Seats, _set_seats),
    action(
        "grant_consent",
        "The application may read again.",
        "",
        Nothing,
        on_tenant(lambda s, _: _tenant.set_consent(s, granted=True)),
    ),
    action(
        "revoke_consent",
        "The application may not read.",
        "",
        Nothing,
        on_tenant(lambda s, _: _tenant.set_consent(s, granted=False)),
    ),
    action(
        "expire_tokens",
        "End the access tokens given so far.",
        "",
        Nothing,
        on_tenant(lambda s, _: _tenant.expire_tokens(s)),
    ),
    action(
        "expire_pages", "End the links to next pages.", "", Nothing, on_tenant(lambda s, _: _tenant.expire_pages(s))
    ),
    action("expire_deltas", "End the delta tokens.", "", Nothing, on_tenant(lambda s, _: _tenant.expire_deltas(s))),
    action(
        "delta_disorder",
        "Deltas repeat, replay and come in no order.",
        "",
        Switch,
        on_tenant(lambda s, given: _tenant.set_delta_disorder(s, on=given.on)),
    ),
    action(
        "delta_refusal",
        "How lost delta tokens are refused: gone, bad_request or not_found.",
        "",
        Refusal,
        on_tenant(lambda s, given: _tenant.set_delta_refusal(s, given.form)),
    ),
    action("send_lifecycle", "Tell subscriptions' lifecycle endpoints.", "subscription?", Lifecycle, _lifecycle),
)
_BY_NAME = {each.name: each for each in ACTIONS}
