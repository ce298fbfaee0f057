"""Subscribed SKUs and their seats: https://learn.microsoft.com/graph/api/resources/subscribedsku."""

from __future__ import annotations

from graphsim.directory.catalog import Sku
from graphsim.directory.commerce import subscription_ids
from graphsim.directory.tenants import Json, Tenant


def assigned(tenant: Tenant, sku_id: str) -> int:
    """How many generated users hold a SKU."""
    return tenant.population.count(lambda persona: sku_id in persona.sku_ids, tenant.size)


def seats(tenant: Tenant, sku: Sku) -> tuple[int, int]:
    """Enabled and warning units: room for growth, except where the posture says overused or in grace."""
    used = assigned(tenant, sku.id)
    if sku.applies_to != "User":
        return 1, 0
    if sku.id in tenant.posture.overused:
        return max(0, used - max(1, used // 20)), 0
    if sku.id in tenant.posture.in_grace:
        return max(0, used - max(1, used // 10)), used // 5 + 1
    return used + max(1, used // 20), 0


def subscribed_sku(tenant: Tenant, sku: Sku, *, consumed: int, enabled: int) -> Json:
    """One SKU as Graph lists it."""
    _, warning = seats(tenant, sku)
    plans: list[Json] = [
        {
            "servicePlanId": plan_id,
            "servicePlanName": name,
            "provisioningStatus": "Success",
            "appliesTo": sku.applies_to,
        }
        for plan_id, name in sku.plans
    ]
    return {
        "accountId": tenant.id,
        "accountName": tenant.domain.removesuffix(".example"),
        "appliesTo": sku.applies_to,
        "capabilityStatus": "Enabled" if enabled or not warning else "Warning",
        "consumedUnits": consumed,
        "id": f"{tenant.id}_{sku.id}",
        "skuId": sku.id,
        "skuPartNumber": sku.part_number,
        "subscriptionIds": subscription_ids(tenant, sku.id, grace=warning > 0),
        "prepaidUnits": {"enabled": enabled, "suspended": 0, "warning": warning, "lockedOut": 0},
        "servicePlans": plans,
    }
