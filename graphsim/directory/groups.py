"""Groups and who is in them: https://learn.microsoft.com/graph/api/resources/group.

Numbers 0 to 24 are the same in every tenant; from 25 on there is one team for every 40 users.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from graphsim.directory.population import GUESTS, PEOPLE, Kind
from graphsim.directory.seeding import draw
from graphsim.directory.tenants import Json, Tenant
from graphsim.directory.words import DEPARTMENTS, TEAM_NAMES

ALL_COMPANY, BREAK_GLASS, SERVICE_ACCOUNTS, MFA_PILOT, HELPDESK, SECURITY, ALL_GUESTS, TRAVELERS, LICENSED = range(9)
FIRST_DEPARTMENT = 9
FIRST_PROJECT = FIRST_DEPARTMENT + len(DEPARTMENTS)
FIRST_REGION = FIRST_PROJECT + 3
FIRST_TEAM = FIRST_REGION + 3
TEAM_SIZE = 40
_REGIONS = ("North", "South", "Remote")
_PROJECTS = ("Atlas", "Beacon", "Compass")


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupPlan:
    """What a group is and how its members are found; the several ways of naming users add up."""

    number: int
    name: str
    description: str = ""
    nested: Sequence[int] = ()
    users: tuple[int, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    sku_id: str = ""
    departments: frozenset[int] = frozenset()
    span: range = range(0)
    unified: bool = False
    rule: str | None = None
    role_assignable: bool = False


def group_count(tenant: Tenant) -> int:
    return FIRST_TEAM + -(-tenant.size // TEAM_SIZE)


def department_group(name: str) -> int:
    """The number of a department's group."""
    return FIRST_DEPARTMENT + DEPARTMENTS.index(name)


def license_group_id(tenant: Tenant) -> str:
    """The group that hands out the frontline licence."""
    return tenant.group_id(LICENSED)


def plan(tenant: Tenant, number: int) -> GroupPlan:
    """Group ``number`` of a tenant, ``0 <= number < group_count``."""
    if number >= FIRST_TEAM:
        team = number - FIRST_TEAM
        name = f"Team {TEAM_NAMES[team % len(TEAM_NAMES)]} {team + 1}"
        return GroupPlan(number=number, name=name, span=range(team * TEAM_SIZE, (team + 1) * TEAM_SIZE))
    if number >= FIRST_REGION:
        region = number - FIRST_REGION
        teams = range(FIRST_TEAM + region, group_count(tenant), len(_REGIONS))
        return GroupPlan(number=number, name=f"Region {_REGIONS[region]}", nested=teams)
    if number >= FIRST_PROJECT:
        project = number - FIRST_PROJECT
        departments = frozenset({project, project + 4})
        return GroupPlan(number=number, name=f"Project {_PROJECTS[project]}", departments=departments, unified=True)
    if number >= FIRST_DEPARTMENT:
        department = number - FIRST_DEPARTMENT
        return GroupPlan(number=number, name=DEPARTMENTS[department], departments=frozenset({department}))
    return _special(tenant)[number]


def _special(tenant: Tenant) -> tuple[GroupPlan, ...]:
    return (
        GroupPlan(number=ALL_COMPANY, name="All Company", nested=range(FIRST_DEPARTMENT, FIRST_PROJECT)),
        GroupPlan(
            number=BREAK_GLASS,
            name="CA-Exclude-BreakGlass",
            description="Emergency access accounts, excluded from conditional access.",
            kinds=frozenset({Kind.BREAK_GLASS}),
        ),
        GroupPlan(
            number=SERVICE_ACCOUNTS,
            name="CA-Exclude-ServiceAccounts",
            description="Service accounts that can't answer a prompt.",
            kinds=frozenset({Kind.SERVICE}),
        ),
        GroupPlan(
            number=MFA_PILOT,
            name="CA-MFA-Pilot",
            nested=(department_group("Information Technology"), department_group("Finance")),
        ),
        GroupPlan(number=HELPDESK, name="Role-Helpdesk", users=tenant.helpdesk, role_assignable=True),
        GroupPlan(number=SECURITY, name="Role-SecurityOperations", users=(3, 4), role_assignable=True),
        GroupPlan(number=ALL_GUESTS, name="All Guests", kinds=GUESTS, rule='(user.userType -eq "Guest")'),
        GroupPlan(number=TRAVELERS, name="CA-Travelers", nested=(department_group("Sales"),), users=(2, 4)),
        GroupPlan(
            number=LICENSED,
            name=f"License-{tenant.posture.frontline.part_number}",
            sku_id=tenant.posture.frontline.id,
        ),
    )


def user_numbers(tenant: Tenant, group: GroupPlan, start: int, size: int) -> Iterator[int]:
    """The users directly in a group, ``start <= number < size``, ascending; ``size`` counts newcomers too."""
    known = min(size, tenant.size)
    population = tenant.population
    sources: list[Iterator[int]] = [iter(number for number in group.users if start <= number < known)]
    if group.kinds:
        sources.append(population.where(lambda persona: persona.kind in group.kinds, start, known))
    if group.sku_id:
        sources.append(population.where(lambda persona: group.sku_id in persona.sku_ids, start, known))
    if group.departments:
        sources.append(_people(tenant, population.in_departments(group.departments, start, size)))
    if group.span:
        sources.append(_people(tenant, iter(range(max(start, group.span.start), min(known, group.span.stop)))))
    return distinct(merge(*sources))


def group(tenant: Tenant, number: int) -> Json:
    """The default properties of a generated group, and ``assignedLicenses``."""
    return described(tenant, plan(tenant, number))


def described(tenant: Tenant, chosen: GroupPlan) -> Json:
    """The object of a group that is like this."""
    number = chosen.number
    raw = draw(tenant.key, b"group", number)
    nickname = chosen.name.replace(" ", "").lower()
    made = tenant.ago(days=400 + raw[0] * 4, seconds=raw[1] * 300)
    kinds = [label for label, given in (("Unified", chosen.unified), ("DynamicMembership", chosen.rule)) if given]
    return {
        "id": tenant.group_id(number),
        "assignedLicenses": [{"disabledPlans": [], "skuId": chosen.sku_id}] if chosen.sku_id else [],
        "classification": None,
        "createdDateTime": made,
        "deletedDateTime": None,
        "description": chosen.description or None,
        "displayName": chosen.name,
        "expirationDateTime": None,
        "groupTypes": kinds,
        "isAssignableToRole": True if chosen.role_assignable else None,
        "mail": f"{nickname}@{tenant.domain}" if chosen.unified else None,
        "mailEnabled": chosen.unified,
        "mailNickname": nickname,
        "membershipRule": chosen.rule,
        "membershipRuleProcessingState": "On" if chosen.rule else None,
        "onPremisesDomainName": None,
        "onPremisesLastSyncDateTime": None,
        "onPremisesNetBiosName": None,
        "onPremisesProvisioningErrors": [],
        "onPremisesSamAccountName": None,
        "onPremisesSecurityIdentifier": None,
        "onPremisesSyncEnabled": None,
        "preferredDataLocation": None,
        "preferredLanguage": None,
        "proxyAddresses": [f"SMTP:{nickname}@{tenant.domain}"] if chosen.unified else [],
        "renewedDateTime": made,
        "resourceBehaviorOptions": [],
        "resourceProvisioningOptions": [],
        "securityEnabled": not chosen.unified,
        "securityIdentifier": _security_identifier(raw),
        "theme": None,
        "uniqueName": None,
        "visibility": "Private" if chosen.unified else None,
    }


def _security_identifier(raw: bytes) -> str:
    words = (int.from_bytes(raw[place : place + 4], "little") for place in range(16, 32, 4))
    return "S-1-12-1-" + "-".join(map(str, words))


def _people(tenant: Tenant, numbers: Iterator[int]) -> Iterator[int]:
    return (number for number in numbers if tenant.persona(number).kind in PEOPLE)


def distinct(ascending: Iterator[int]) -> Iterator[int]:
    """Each number once."""
    last = -1
    for number in ascending:
        if number != last:
            yield number
        last = number
