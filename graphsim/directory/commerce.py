"""Commercial subscriptions: https://learn.microsoft.com/graph/api/resources/companysubscription.

One for each SKU, and a second one for seats that live on in their grace period.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from graphsim.directory.catalog import FLOW_FREE, POWER_BI_PRO
from graphsim.directory.seeding import derive_key, draw, guid
from graphsim.directory.tenants import Json, Tenant

_YEAR = 365
_SOON = 21  # days until the main product of a tenant nobody tidies renews
_GRACE = 12


def company_subscriptions(tenant: Tenant, skus: Iterable[Json]) -> list[Json]:
    """The subscriptions behind the listed SKUs; their seats add up to the SKU's."""
    found = []
    for sku in skus:
        units = cast("dict[str, int]", sku["prepaidUnits"])  # as ``licenses.subscribed_sku`` writes it
        ids = cast("list[str]", sku["subscriptionIds"])
        for grace, (subscription_id, seats) in enumerate(zip(ids, (units["enabled"], units["warning"]), strict=False)):
            found.append(_subscription(tenant, subscription_id, sku, seats=seats, grace=bool(grace)))
    return found


def _subscription(tenant: Tenant, subscription_id: str, sku: Json, *, seats: int, grace: bool) -> Json:
    """``sku`` is the subscribed SKU as listed; without an end where it costs nothing."""
    sku_id, raw = str(sku["skuId"]), draw(tenant.key, b"commerce", int(str(sku["skuId"])[:8], 16))
    days = _days_left(tenant, sku, raw, grace=grace)
    return {
        "id": subscription_id,
        "commerceSubscriptionId": guid(draw(tenant.key, b"commerceid", int(subscription_id[:8], 16))),
        "createdDateTime": tenant.ago(days=_YEAR * (1 + raw[1] % 3) - (days or 0)),
        "isTrial": sku_id == POWER_BI_PRO.id and raw[2] % 4 == 0,
        "nextLifecycleDateTime": None if days is None else tenant.ago(days=-days),
        "ownerId": tenant.user_id(2),
        "ownerTenantId": partner_tenant_id(tenant),
        "ownerType": "User",
        "serviceStatus": sku["servicePlans"],
        "skuId": sku_id,
        "skuPartNumber": sku["skuPartNumber"],
        "status": "Warning" if grace else "Enabled",
        "totalLicenses": seats,
    }


def partner_tenant_id(tenant: Tenant) -> str:
    """The tenant of the partner who sells to all tenants of a seed."""
    return guid(derive_key(tenant.seed, "partner"))


def subscription_ids(tenant: Tenant, sku_id: str, *, grace: bool) -> list[str]:
    """Of one SKU: the running subscription, and the one in its grace period if there is any."""
    running = tenant.object_id(f"sub{sku_id[:8]}")
    return [running, tenant.object_id(f"sub{sku_id[:8]}", 1)] if grace else [running]


def _days_left(tenant: Tenant, sku: Json, raw: bytes, *, grace: bool) -> int | None:
    if grace:
        return _GRACE
    if sku["skuId"] == FLOW_FREE.id or sku["appliesTo"] != "User":
        return None
    if sku["skuId"] == tenant.posture.desk.id and not tenant.posture.tidy:
        return _SOON
    return 60 + raw[0]
