"""The tenant's domains: https://learn.microsoft.com/graph/api/resources/domain."""

from __future__ import annotations

from graphsim.directory.tenants import Json, Tenant

_SERVICES = ("Email", "OfficeCommunicationsOnline")


def domains(tenant: Tenant) -> list[Json]:
    """The one of the company, which is the default, and the one it began with."""
    return [_domain(tenant, name) for name in (tenant.domain, tenant.initial_domain)]


def _domain(tenant: Tenant, name: str) -> Json:
    return {
        "id": name,
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": name == tenant.domain,
        "isInitial": name == tenant.initial_domain,
        "isRoot": True,
        "isVerified": True,
        "manufacturer": None,
        "model": None,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2147483647,
        "state": None,
        "supportedServices": list(_SERVICES),
    }
