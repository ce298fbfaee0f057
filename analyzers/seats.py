"""Which seats of a product are paid for and lie idle; shared by the rules on seats.

Part numbers are those of https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference, where the
product's name says free, trial, exploratory or IW (information worker), and a few that cost nothing by other pages of
Microsoft's.
"""

from __future__ import annotations

from pipeline.domain.entities import License

FREE = frozenset(
    {
        "D365_SALES_PRO_IW",
        "DYN365_AI_SERVICE_INSIGHTS",
        "DYN365_ENTERPRISE_P1_IW",
        "DYN365_REGULATORY_SERVICE",
        "FLOW_FREE",
        "FORMS_PRO",
        "MCOPSTNC",  # communications credits: minutes are paid for, seats are not
        "MICROSOFT_BUSINESS_CENTER",
        "MICROSOFT_TEAMS_EXPLORATORY_DEPT",
        "MS_TEAMS_IW",
        "PHONESYSTEM_VIRTUALUSER",  # resource accounts: handed out with phone licences
        "POWERAPPS_DEV",
        "POWERAPPS_INDIVIDUAL_USER",
        "POWERAPPS_PER_APP_IW",  # baseline access beside a paid plan for an app
        "POWER_BI_INDIVIDUAL_USER",
        "POWER_BI_STANDARD",
        "POWER_BI_STANDARD_FACULTY",
        "POWER_BI_STANDARD_STUDENT",
        "PROJECT_MADEIRA_PREVIEW_IW_SKU",
        "RIGHTSMANAGEMENT_ADHOC",
        "RMSBASIC",
        "SMB_APPS",
        "SPZA_IW",
        "STREAM",
        "TEAMS_EXPLORATORY",
        "TEAMS_FREE",
        "WINDOWS_STORE",
    }
)
"""In capitals; Microsoft's own spelling varies."""

TRIALS = ("TRIAL", "VIRAL")
"""Stand in the part numbers of trials only: AX7_USER_TRIAL, CCIBOTS_PRIVPREV_VIRAL, Dynamics_365_Guides_vTrial."""

GIVEN_AWAY = 10_000
"""As many seats at once are not bought: what is free comes with ten thousand, or a million."""


def free(sku: License) -> bool:
    """Whether the product costs nothing, as far as its part number and the number of its seats tell."""
    name = sku.part_number.upper()
    return name in FREE or sku.enabled_units >= GIVEN_AWAY or any(word in name for word in TRIALS)


SHARE = 5
"""Per cent of the seats that may lie idle however many there are."""


def reserve(sku: License, least: int = 0) -> int:
    """How many seats may lie idle: a twentieth of them, or ``least`` where that is more."""
    return max(least, sku.enabled_units * SHARE // 100)


def spare(sku: License) -> int:
    """Seats that no user holds, of those that are paid for; 0 of a product for the company as a whole."""
    if sku.applies_to != "User":
        return 0
    return max(0, sku.enabled_units - sku.consumed_units)
