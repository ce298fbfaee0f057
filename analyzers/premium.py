"""Does the tenant have a premium licence of Microsoft Entra ID, and what does Microsoft give only to those that do?

Plan ids: https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference
"""

from __future__ import annotations

from pipeline.domain.capture import Resource
from pipeline.domain.entities import License
from pipeline.domain.graph import TenantGraph

PREMIUM_PLANS = frozenset({"41781fb2-bc02-4b7c-bd55-b576c07bb09d", "eec0eb4f-6444-4f95-aba0-50c24d67f998"})
"""The service plans Entra ID P1 and P2."""
NEEDS_PREMIUM = frozenset({Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS})
"""Lists that are refused to tenants without one."""
WORKING = frozenset({"Enabled", "Warning"})


def is_premium(sku: License) -> bool:
    """Whether the SKU works, has seats and contains P1 or P2."""
    seats = sku.enabled_units + sku.warning_units
    return seats > 0 and sku.capability_status in WORKING and not PREMIUM_PLANS.isdisjoint(sku.service_plan_ids)


def has_premium(graph: TenantGraph) -> bool | None:
    """``None`` where the tenant's SKUs were not read."""
    if graph.unreadable(Resource.SKUS) is not None:
        return None
    return any(is_premium(sku) for sku in graph.licenses.values())
