"""Every list the simulator serves, as ``(position of what follows, object)`` from a given position on.

Positions are what page tokens carry. They survive changes: nothing is skipped or repeated when users come or go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from graphsim.directory import roles
from graphsim.directory.catalog import SERVICE_OF_PLAN
from graphsim.directory.registration import registration_details
from graphsim.directory.tenants import Json
from graphsim.policies import access
from graphsim.protocol.errors import not_found, not_premium
from graphsim.protocol.schema import GROUP, USER
from graphsim.world import membership, principal_names
from graphsim.world.overlays import registered
from graphsim.world.state import TenantState

Entries = Iterator[tuple[int, Json]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where to begin reading: the list's owner (empty if it has none) and the position in it.

    ``ids_only`` says that members are wanted by id: their other properties are then left out, which is much faster.
    """

    key: str = ""
    start: int = 0
    ids_only: bool = False


def users(state: TenantState, place: Place) -> Entries:
    for number in range(place.start, state.size):
        if number not in state.removed:
            yield number + 1, state.user(number)


def named_users(state: TenantState, place: Place, names: Iterable[str]) -> Entries:
    """The users of these ids or principal names, those there are, found without a look at the others."""
    numbers = {number for name in names if (number := _number(state, name)) is not None and state.exists(number)}
    return ((number + 1, state.user(number)) for number in sorted(numbers) if number >= place.start)


def registrations(state: TenantState, place: Place) -> Entries:
    """Enabled users only; needs a premium licence."""
    if not state.tenant.posture.premium:
        raise not_premium()
    return _registrations(state, place)


def _registrations(state: TenantState, place: Place) -> Entries:
    for position, user in users(state, place):
        if user["accountEnabled"]:
            yield position, registration(state, position - 1, user)


def registration(state: TenantState, number: int, user: Json) -> Json:
    """The report's line on a user."""
    name, principal = str(user["displayName"]), str(user["userPrincipalName"])
    details = registration_details(state.tenant, number, name=name, principal=principal)
    details["isAdmin"] = membership.is_admin(state, number)
    at = state.user_change(number).registered_at
    return registered(details, at) if at else details


def all_groups(state: TenantState, place: Place) -> Entries:
    for number in membership.group_numbers(state, place.start):
        yield number + 1, membership.group_body(state, number)


def group_members(state: TenantState, place: Place) -> Entries:
    """Direct members: nested groups first, then users."""
    number = find_group(state, place.key)
    nested = membership.nested_groups(state, number)
    return _members(state, nested, membership.user_numbers(state, number, _first_user(place)), place)


def transitive_members(state: TenantState, place: Place) -> Entries:
    """Members at any depth, each once: groups first, then users."""
    number = find_group(state, place.key)
    nested = membership.transitive_groups(state, number)
    return _members(state, nested, membership.transitive_users(state, number, _first_user(place)), place)


def _first_user(place: Place) -> int:
    return max(0, place.start - membership.USERS_FROM)


def _members(state: TenantState, nested: list[int], numbers: Iterator[int], place: Place) -> Entries:
    light = place.ids_only
    following = (number for number in nested if number >= place.start)
    inside = ((number + 1, group_member(state, number, ids_only=light)) for number in following)
    people = ((membership.USERS_FROM + number + 1, user_member(state, number, ids_only=light)) for number in numbers)
    return chain(inside, people)


def directory_roles(state: TenantState, place: Place) -> Entries:
    plans = roles.role_plans(state.tenant)
    return listed([roles.role(state.tenant, plan) for plan in plans], place)


def role_members(state: TenantState, place: Place) -> Entries:
    plan = find_role(state, place.key)
    people = [user_member(state, number) for number in membership.role_users(state, plan)]
    return listed(people + [group_member(state, number) for number in membership.role_groups(state, plan)], place)


def policies(state: TenantState, place: Place) -> Entries:
    return listed(state.policies(), place)


def named_locations(state: TenantState, place: Place) -> Entries:
    """Tenants without a premium licence can't define any."""
    return listed(access.named_locations(state.tenant) if state.tenant.posture.premium else [], place)


def strengths(_state: TenantState, place: Place) -> Entries:
    return listed(access.authentication_strengths(), place)


def skus(state: TenantState, place: Place) -> Entries:
    return listed(state.skus(), place)


def organization(state: TenantState, place: Place) -> Entries:
    tenant = state.tenant
    city, country = tenant.city
    domains: list[Json] = [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": name == tenant.domain,
            "isInitial": name == tenant.initial_domain,
            "name": name,
            "type": "Managed",
        }
        for name in (tenant.domain, tenant.initial_domain)
    ]
    body: Json = {
        "id": tenant.id,
        "deletedDateTime": None,
        "assignedPlans": _assigned_plans(state),
        "businessPhones": ["+1 555 0100"],
        "city": city,
        "country": None,
        "countryLetterCode": country,
        "createdDateTime": tenant.ago(days=2400),
        "defaultUsageLocation": None,
        "displayName": tenant.name,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": None,
        "onPremisesSyncEnabled": None,
        "partnerTenantType": None,
        "postalCode": None,
        "preferredLanguage": "en",
        "privacyProfile": None,
        "provisionedPlans": [],
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": None,
        "street": None,
        "technicalNotificationMails": [f"it@{tenant.domain}"],
        "tenantType": "AAD",
        "verifiedDomains": domains,
    }
    return listed([body], place)


def _assigned_plans(state: TenantState) -> list[Json]:
    plans = {plan: name for sku in state.products for plan, name in sku.plans}
    since = state.tenant.ago(days=400)
    return [
        {
            "assignedDateTime": since,
            "capabilityStatus": "Enabled",
            "service": SERVICE_OF_PLAN[name],
            "servicePlanId": plan,
        }
        for plan, name in plans.items()
    ]


def find_group(state: TenantState, key: str) -> int:
    """The group's number."""
    number = state.tenant.group_number(key)
    if number is None or not membership.group_exists(state, number):
        raise not_found(key)
    return number


def find_role(state: TenantState, key: str) -> roles.RolePlan:
    """By the role's object id or its template id."""
    wanted = key.lower().removeprefix("roletemplateid=").strip("'")
    for plan in roles.role_plans(state.tenant):
        if wanted in {plan.template_id, roles.role_object_id(state.tenant, plan)}:
            return plan
    raise not_found(key)


def find_user(state: TenantState, key: str) -> int:
    """By id or user principal name."""
    number = _number(state, key)
    if number is None or not state.exists(number):
        raise not_found(key)
    return number


def _number(state: TenantState, key: str) -> int | None:
    return principal_names.user_number(state, key) if "@" in key else state.tenant.user_number(key)


def user_member(state: TenantState, number: int, *, ids_only: bool = False) -> Json:
    """A user as it appears among members, with every known property or just its id."""
    body: Json = {"id": state.tenant.user_id(number)} if ids_only else state.user(number)
    return {"@odata.type": f"#{USER.type_name}", **body}


def group_member(state: TenantState, number: int, *, ids_only: bool = False) -> Json:
    body: Json = {"id": state.tenant.group_id(number)} if ids_only else membership.group_body(state, number)
    return {"@odata.type": f"#{GROUP.type_name}", **body}


def listed(bodies: list[Json], place: Place) -> Entries:
    """These objects, from the place on."""
    return ((at + 1, bodies[at]) for at in range(place.start, len(bodies)))
