"""Clients, sites and contracts, computed from the seed: mostly one client for each simulated tenant.

How a client can be told to belong to its tenant goes round by the tenant's number: by the connected Microsoft tenant,
by its site's mail domain, by its name, by the client's own Microsoft tenant id. The tenant of every fifth number has no
client. Names of fields are HaloPSA's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from graphsim.directory.seeding import derive_key
from graphsim.directory.tenants import Json, Tenant
from graphsim.directory.words import COMPANY_FIRST
from graphsim.halopsa.state import HaloState

CONNECTED, BY_DOMAIN, BY_NAME, BY_FIELD, NO_CLIENT = range(5)
FIRST_CLIENT = 100
FIRST_PROSPECT = 50_000
FORMER_CLIENT = 90_000
SITES_EACH = 2


def client_id(index: int) -> int:
    """The id of the client of tenant number ``index``."""
    return FIRST_CLIENT + index


def clients(tenants: list[Tenant], state: HaloState) -> list[Json]:
    """Every client in the order of their ids: the tenants', a few without a tenant, and one that left."""
    found = {client_id(one.index): _client_of(one) for one in tenants if one.index % 5 != NO_CLIENT}
    for number in range(1 + len(tenants) // 10):
        name = f"{COMPANY_FIRST[number % len(COMPANY_FIRST)]} Dental {number + 1}"
        found[FIRST_PROSPECT + number] = client(FIRST_PROSPECT + number, name)
    found[FORMER_CLIENT] = client(FORMER_CLIENT, "Former Customer") | {"inactive": True}
    found |= state.clients
    return [found[number] for number in sorted(found.keys() - state.removed)]


def client(number: int, name: str) -> Json:
    """A client that nothing connects to a Microsoft tenant."""
    return {
        "id": number,
        "name": name,
        "toplevel_id": 1,
        "toplevel_name": "Customers",
        "inactive": False,
        "colour": "#2bd3c6",
        "main_site_id": number * 10,
        "azure_tenant_id": "",
        "azure_tenants": [],
    }


def connected(one: Tenant) -> Json:
    """The client of a tenant that HaloPSA's own integration knows."""
    tenant = {
        "id": one.index + 1,
        "client_id": client_id(one.index),
        "azure_tenant_id": one.id,
        "azure_tenant_name": one.name,
        "azure_tenant_domain": one.domain,
    }
    return client(client_id(one.index), one.name) | {"azure_tenants": [tenant]}


def _client_of(one: Tenant) -> Json:
    way = one.index % 5
    if way == CONNECTED:
        return connected(one)
    name = one.name if way == BY_NAME else f"{one.name} (managed)"
    return client(client_id(one.index), name) | {"azure_tenant_id": one.id.upper() if way == BY_FIELD else ""}


def sites(tenants: list[Tenant], state: HaloState) -> list[Json]:
    """Two sites of every client, the main one with the mail domain where it is known by that."""
    domains = {client_id(one.index): one.domain for one in tenants if one.index % 5 == BY_DOMAIN}
    return [
        _site(owner, number, domains.get(int(str(owner["id"])), "") if number == 0 else "")
        for owner in clients(tenants, state)
        for number in range(SITES_EACH)
    ]


def _site(owner: Json, number: int, domain: str) -> Json:
    name = "Main" if number == 0 else f"Branch {number}"
    return {
        "id": int(str(owner["id"])) * 10 + number,
        "name": name,
        "client_id": owner["id"],
        "client_name": owner["name"],
        "clientsite_name": f"{owner['name']}/{name}",
        "inactive": owner["inactive"],
        "emaildomain": domain,
    }


def contracts(tenants: list[Tenant], state: HaloState, seed: str, now: datetime) -> list[Json]:
    """One contract of the main site of every client, and for every third an older one of the client itself."""
    found: list[Json] = []
    for owner in clients(tenants, state):
        number = int(str(owner["id"]))
        age = derive_key(seed, "contract", number)[0]
        found.append(_contract(number * 10, owner, site=number * 10, start=now - timedelta(days=age), years=1))
        if number % 3 == 0:
            found.append(_contract(number * 10 + 1, owner, site=0, start=now - timedelta(days=900 + age), years=2))
    return found


def _contract(number: int, owner: Json, *, site: int, start: datetime, years: int) -> Json:
    expired = years > 1
    return {
        "id": number,
        "client_id": owner["id"],
        "client_name": owner["name"],
        "ref": f"C{number}",
        "site_id": site,
        "start_date": _written(start),
        "end_date": _written(start + timedelta(days=365 * years)),
        "started": True,
        "expired": expired,
        "active": not expired,
        "contracttype": 1,
        "contracttype_name": "Managed Services",
    }


def _written(moment: datetime) -> str:
    """HaloPSA writes times without an offset."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")
