"""The SKUs tenants subscribe to, with Microsoft's ids.

https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference
"""

from __future__ import annotations

from dataclasses import dataclass

P1_PLAN = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
P2_PLAN = "eec0eb4f-6444-4f95-aba0-50c24d67f998"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sku:
    """A product; ``plans`` are ``(service plan id, service plan name)``."""

    id: str
    part_number: str
    plans: tuple[tuple[str, str], ...]
    applies_to: str = "User"


SERVICE_OF_PLAN = {
    "AAD_PREMIUM": "AADPremiumService",
    "AAD_PREMIUM_P2": "AADPremiumService",
    "BI_AZURE_P2": "PowerBI",
    "EXCHANGE_S_ENTERPRISE": "exchange",
    "EXCHANGE_S_STANDARD": "exchange",
    "FLOW_P2_VIRAL": "ProcessSimple",
    "INTUNE_A": "SCO",
    "MFA_PREMIUM": "MultiFactorService",
    "OFFICESUBSCRIPTION": "MicrosoftOffice",
    "OFFICE_BUSINESS": "MicrosoftOffice",
    "SHAREPOINTENTERPRISE": "SharePoint",
    "SHAREPOINTSTANDARD": "SharePoint",
    "TEAMS1": "TeamspaceAPI",
    "WINDOWS_STORE": "WindowsStore",
}
"""The service a plan belongs to, as ``assignedPlans`` of an organization names it."""

_EXCHANGE = ("9aaf7827-d63c-4b61-89c3-182f06f82e5c", "EXCHANGE_S_STANDARD")
_EXCHANGE_2 = ("efb87545-963c-4e0d-99df-69c6916d9eb0", "EXCHANGE_S_ENTERPRISE")
_TEAMS = ("57ff2da0-773e-42df-b2af-ffb7a2317929", "TEAMS1")
_SHAREPOINT = ("c7699d2e-19aa-44de-8edf-1736da088ca1", "SHAREPOINTSTANDARD")
_SHAREPOINT_2 = ("5dbe027f-2339-4123-9542-606e4d348a72", "SHAREPOINTENTERPRISE")
_OFFICE_BUSINESS = ("094e7854-93fc-4d55-b2c0-3ab5369ebdc1", "OFFICE_BUSINESS")
_OFFICE = ("43de0ff5-c92c-492b-9116-175376d08c38", "OFFICESUBSCRIPTION")
_INTUNE = ("c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "INTUNE_A")
_MFA = ("8a256a2b-b617-496d-b51b-e76466e88db0", "MFA_PREMIUM")
_P1 = (P1_PLAN, "AAD_PREMIUM")
_P2 = (P2_PLAN, "AAD_PREMIUM_P2")

BUSINESS_BASIC = Sku(
    id="3b555118-da6a-4418-894f-7df1e2096870",
    part_number="O365_BUSINESS_ESSENTIALS",
    plans=(_EXCHANGE, _TEAMS, _SHAREPOINT),
)
BUSINESS_STANDARD = Sku(
    id="f245ecc8-75af-4f8e-b61f-27d8114de5f3",
    part_number="O365_BUSINESS_PREMIUM",
    plans=(_EXCHANGE, _TEAMS, _SHAREPOINT, _OFFICE_BUSINESS),
)
BUSINESS_PREMIUM = Sku(
    id="cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
    part_number="SPB",
    plans=(_EXCHANGE, _TEAMS, _SHAREPOINT, _OFFICE_BUSINESS, _INTUNE, _MFA, _P1),
)
M365_E3 = Sku(
    id="05e9a617-0261-4cee-bb44-138d3ef5d965",
    part_number="SPE_E3",
    plans=(_EXCHANGE_2, _TEAMS, _SHAREPOINT_2, _OFFICE, _INTUNE, _MFA, _P1),
)
M365_E5 = Sku(
    id="06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    part_number="SPE_E5",
    plans=(_EXCHANGE_2, _TEAMS, _SHAREPOINT_2, _OFFICE, _INTUNE, _MFA, _P1, _P2),
)
POWER_BI_PRO = Sku(
    id="f8a1db68-be16-40ed-86d5-cb42ce701560",
    part_number="POWER_BI_PRO",
    plans=(("70d33638-9c74-4d01-bfd3-562de28bd4ba", "BI_AZURE_P2"),),
)
FLOW_FREE = Sku(
    id="f30db892-07e9-47e9-837c-80727f46fd3d",
    part_number="FLOW_FREE",
    plans=(("50e68c76-46c6-4674-81f9-75456511b170", "FLOW_P2_VIRAL"),),
)
WINDOWS_STORE = Sku(
    id="6470687e-a428-4b7a-bef2-8a291ad947c9",
    part_number="WINDOWS_STORE",
    plans=(("a420f25f-a7b3-4ff5-a9d0-5d58f73b537d", "WINDOWS_STORE"),),
    applies_to="Company",
)

PRODUCTS = (
    BUSINESS_BASIC,
    BUSINESS_STANDARD,
    BUSINESS_PREMIUM,
    M365_E3,
    M365_E5,
    POWER_BI_PRO,
    FLOW_FREE,
    WINDOWS_STORE,
)
"""Everything that can be bought."""
