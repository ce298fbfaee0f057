"""User objects: https://learn.microsoft.com/graph/api/resources/user."""

from __future__ import annotations

from graphsim.directory.groups import license_group_id
from graphsim.directory.population import DISABLED, GUESTS, PEOPLE, Kind
from graphsim.directory.postures import POSTURES
from graphsim.directory.seeding import draw
from graphsim.directory.signins import created_at, last_sign_ins, sign_in_activity
from graphsim.directory.tenants import Json, Tenant, timestamp
from graphsim.directory.words import (
    DEPARTMENTS,
    FIRST_NAMES,
    JOB_TITLES,
    LAST_NAMES,
    PARTNERS,
    SERVICE_ACCOUNTS,
    SHARED_MAILBOXES,
)

_NAMES = len(FIRST_NAMES) * len(LAST_NAMES)
_NAME_STEP = 2501  # coprime to the number of names: no two of 6,144 neighbours share one
_HYBRID = frozenset(posture.desk.id for posture in POSTURES if posture.desk.part_number.startswith("SPE"))
_CLOUD_ONLY = frozenset({Kind.BREAK_GLASS, Kind.ADMIN, Kind.SERVICE})
_ERRORS = ("MutuallyExclusiveViolation", "DependencyViolation", "ProhibitedInUsageLocationViolation")
_ONE_IN = 200  # users there is one whose licence is in error


def person_name(key: bytes, number: int) -> tuple[str, str, str]:
    """First name, last name and the suffix (empty for the first 6,144 users) that together are unique."""
    place = (number * _NAME_STEP + key[1] * 256 + key[2]) % _NAMES
    suffix = str(number // _NAMES + 1) if number >= _NAMES else ""
    return FIRST_NAMES[place // len(LAST_NAMES)], LAST_NAMES[place % len(LAST_NAMES)], suffix


def numbers_named(key: bytes, first: str, last: str, suffix: str) -> list[int]:
    """The numbers whose ``person_name`` is this, names in lower case: one, or none for names nobody has."""
    firsts, lasts = [name.lower() for name in FIRST_NAMES], [name.lower() for name in LAST_NAMES]
    if first not in firsts or last not in lasts:
        return []
    place = firsts.index(first) * len(LAST_NAMES) + lasts.index(last)
    within = (place - key[1] * 256 - key[2]) * pow(_NAME_STEP, -1, _NAMES) % _NAMES
    return [within + _NAMES * (int(suffix) - 1 if suffix else 0)]


def user(tenant: Tenant, number: int) -> Json:
    """Every property the simulator knows of a user, as generated; no ``signInActivity`` if it never signed in."""
    persona = tenant.persona(number)
    kind = persona.kind
    raw = draw(tenant.key, b"user", number)
    made = timestamp(created_at(kind, raw, tenant.now))
    city, country = tenant.city
    body: Json = {
        "id": tenant.user_id(number),
        "accountEnabled": kind not in DISABLED,
        "assignedLicenses": [{"disabledPlans": [], "skuId": sku} for sku in persona.sku_ids],
        "businessPhones": [f"+1 555 01{raw[9] % 100:02d}"] if kind in PEOPLE and raw[10] % 2 else [],
        "city": city,
        "companyName": tenant.name,
        "country": country,
        "createdDateTime": made,
        "creationType": None,
        "externalUserState": None,
        "licenseAssignmentStates": [_assignment(tenant, number, sku, made) for sku in persona.sku_ids],
        "mobilePhone": None,
        "officeLocation": city if kind in PEOPLE else None,
        "onPremisesSyncEnabled": True if _synced(tenant, kind, number) else None,
        "preferredLanguage": "en-US" if kind in PEOPLE else None,
        "usageLocation": country if persona.sku_ids else None,
        "userType": "Guest" if kind in GUESTS else "Member",
    }
    body.update(_naming(tenant, kind, number))
    sign_ins = last_sign_ins(kind, raw, tenant.now)
    if sign_ins:
        body["signInActivity"] = sign_in_activity(sign_ins, raw)
    return body


def _assignment(tenant: Tenant, number: int, sku_id: str, since: str) -> Json:
    by_group = sku_id == tenant.posture.frontline.id
    error = _error(tenant, number) if by_group and _is_in_error(tenant, number) else ""
    return {
        "skuId": sku_id,
        "assignedByGroup": license_group_id(tenant) if by_group else None,
        "state": "ActiveWithError" if error else "Active",
        "error": error or "None",
        "disabledPlans": [],
        "lastUpdatedDateTime": since,
    }


def _is_in_error(tenant: Tenant, number: int) -> bool:
    """Where nobody tidies, the licence of a group fails for the first of its holders in every 200 users.

    It is held all the same, so that seats add up.
    """
    sku_id, before = tenant.posture.frontline.id, range(number - number % _ONE_IN, number)
    return not tenant.posture.tidy and not any(sku_id in tenant.persona(one).sku_ids for one in before)


def _error(tenant: Tenant, number: int) -> str:
    """For want of seats where there are too few, else one conflict or another."""
    if tenant.posture.frontline.id in tenant.posture.overused:
        return "CountViolation"
    return _ERRORS[number // _ONE_IN % len(_ERRORS)]


def _synced(tenant: Tenant, kind: Kind, number: int) -> bool:
    """Enterprise tenants sync their people from on premises; one administrator of each untidy one is synced too."""
    if tenant.posture.desk.id not in _HYBRID or number >= tenant.size:
        return False
    synced_admin = kind is Kind.ADMIN and number == 4 and not tenant.posture.tidy  # noqa: PLR2004 - the last but one
    return synced_admin or (kind in PEOPLE and kind not in _CLOUD_ONLY)


def _naming(tenant: Tenant, kind: Kind, number: int) -> Json:
    if kind is Kind.BREAK_GLASS:
        return _account(tenant, f"breakglass{number + 1}", f"Break Glass {number + 1}", domain=tenant.initial_domain)
    if kind is Kind.SERVICE:
        name = SERVICE_ACCOUNTS[number % len(SERVICE_ACCOUNTS)]
        return _account(tenant, f"svc-{name}-{number}", f"Service {name} {number}")
    if kind is Kind.SHARED_MAILBOX:
        name = SHARED_MAILBOXES[number % len(SHARED_MAILBOXES)]
        address = f"{name}-{number}".lower()
        mail: Json = {"mail": f"{address}@{tenant.domain}"}
        return _account(tenant, address, f"{name.replace('-', ' ')} {number}") | mail
    first, last, suffix = person_name(tenant.key, number)
    if kind in GUESTS:
        return _guest(tenant, first, last, f"{first}.{last}{suffix}".lower(), number)
    department = DEPARTMENTS[tenant.population.department(number)]
    titles = JOB_TITLES[department]
    admin = kind in {Kind.ADMIN, Kind.STALE_ADMIN}
    local = f"{'adm-' if admin else ''}{first}.{last}{suffix}".lower()
    named: Json = {
        "department": "Information Technology" if admin else department,
        "givenName": first,
        "jobTitle": None if admin else titles[number % len(titles)],
        "mail": None if admin else f"{local}@{tenant.domain}",
        "surname": last,
    }
    return _account(tenant, local, f"{first} {last}{' (admin)' if admin else ''}") | named


def _guest(tenant: Tenant, first: str, last: str, local: str, number: int) -> Json:
    partner = f"{PARTNERS[number % len(PARTNERS)]}.example"
    address = f"{local}_{partner}#EXT#"
    guest: Json = {
        "companyName": None,
        "creationType": "Invitation",
        "externalUserState": "Accepted",
        "givenName": first,
        "mail": f"{local}@{partner}",
        "surname": last,
        "mailNickname": address,
        "userPrincipalName": f"{address}@{tenant.initial_domain}",
    }
    return _account(tenant, local, f"{first} {last}") | guest


def _account(tenant: Tenant, local: str, display_name: str, *, domain: str = "") -> Json:
    return {
        "department": None,
        "displayName": display_name,
        "givenName": None,
        "jobTitle": None,
        "mail": None,
        "mailNickname": local,
        "surname": None,
        "userPrincipalName": f"{local}@{domain or tenant.domain}",
    }
