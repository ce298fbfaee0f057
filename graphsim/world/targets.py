"""What a mutation names, found: people write numbers and names, programs write ids."""

from __future__ import annotations

from graphsim.directory import catalog
from graphsim.directory.catalog import Sku
from graphsim.directory.roles import RolePlan, role_object_id, role_plans
from graphsim.policies.conditional_access import policy_id
from graphsim.policies.policy_sets import drafts
from graphsim.world import membership
from graphsim.world.state import TenantState


class ScenarioError(Exception):
    """The scenario asked for something that can't be; the message says what."""


def user_of(state: TenantState, key: str) -> int:
    """An existing user, by id or number."""
    number = _number(key, state.tenant.user_number(key))
    if number is None or not state.exists(number):
        raise ScenarioError(f"the tenant has no user {key!r}: give an id or a number below {state.size}")
    return number


def deleted_user_of(state: TenantState, key: str) -> int:
    """A user in the recycle bin."""
    number = _number(key, state.tenant.user_number(key))
    if number not in state.removed or number in state.purged:
        raise ScenarioError(f"the tenant has no user {key!r} in its recycle bin: delete_user puts one there")
    return number


def group_of(state: TenantState, key: str) -> int:
    """An existing group, by id, number or name."""
    number = _number(key, state.tenant.group_number(key))
    if number is None:
        named = (each for each in membership.group_numbers(state) if membership.group_plan(state, each).name == key)
        number = next(named, None)
    if number is None or not membership.group_exists(state, number):
        raise ScenarioError(f"the tenant has no group {key!r}: give an id, a number or a name")
    return number


def deleted_group_of(state: TenantState, key: str) -> int:
    """A group in the recycle bin."""
    number = _number(key, state.tenant.group_number(key))
    if number not in state.removed_groups or number in state.purged_groups:
        raise ScenarioError(f"the tenant has no group {key!r} in its recycle bin: delete_group puts one there")
    return number


def role_of(state: TenantState, key: str) -> RolePlan:
    """An activated role, by id, template id or name."""
    for plan in role_plans(state.tenant):
        if key in {plan.template_id, plan.name, role_object_id(state.tenant, plan)}:
            return plan
    raise ScenarioError(f"the tenant has no role {key!r}: give an id, a template id or a name")


def policy_of(state: TenantState, key: str) -> str:
    """An existing policy's id, from that, its number or its name."""
    named = {draft.name: policy_id(state.tenant, place) for place, draft in enumerate(drafts(state.tenant))}
    by_number = policy_id(state.tenant, int(key)) if key.isascii() and key.isdigit() else key
    found = named.get(key, by_number)
    if not state.has_policy(found):
        raise ScenarioError(f"the tenant has no policy {key!r}: give an id, a number or a name")
    return found


def product_of(state: TenantState, key: str) -> Sku:
    """A product the tenant subscribed to, by id or part number."""
    for sku in state.products:
        if key in {sku.id, sku.part_number}:
            return sku
    raise ScenarioError(f"the tenant has no subscription to {key!r}: give a SKU's id or part number")


def any_product_of(state: TenantState, key: str) -> Sku:
    """A product of the catalogue, whether or not the tenant has it."""
    for sku in (*state.products, *catalog.PRODUCTS):
        if key in {sku.id, sku.part_number}:
            return sku
    raise ScenarioError(f"there is no product {key!r}: one of {', '.join(sku.part_number for sku in catalog.PRODUCTS)}")


def _number(key: str, from_id: int | None) -> int | None:
    return int(key) if key.isascii() and key.isdigit() else from_id
