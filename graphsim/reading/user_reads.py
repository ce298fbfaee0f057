"""What belongs to one user."""

from __future__ import annotations

from typing import cast

from graphsim.directory.catalog import PRODUCTS
from graphsim.directory.seeding import draw
from graphsim.directory.tenants import Json
from graphsim.reading.reads import Entries, Place, find_user, listed
from graphsim.world.state import TenantState


def license_details(state: TenantState, place: Place) -> Entries:
    """https://learn.microsoft.com/graph/api/resources/licensedetails"""
    number = find_user(state, place.key)
    assigned = cast("list[Json]", state.user(number)["assignedLicenses"])
    raw = draw(state.tenant.key, b"licence", number)
    products = {product.id: product for product in PRODUCTS}
    held = [products[str(one["skuId"])] for one in assigned]
    bodies: list[Json] = [
        {
            "id": f"{raw[:8].hex()}_{product.id}",
            "servicePlans": [
                {
                    "servicePlanId": plan,
                    "servicePlanName": name,
                    "provisioningStatus": "Success",
                    "appliesTo": product.applies_to,
                }
                for plan, name in product.plans
            ],
            "skuId": product.id,
            "skuPartNumber": product.part_number,
        }
        for product in held
    ]
    return listed(bodies, place)
