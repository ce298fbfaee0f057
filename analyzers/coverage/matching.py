"""Whether one condition of a policy holds for one value of a situation.

Values and their meaning: https://learn.microsoft.com/graph/api/resources/conditionalaccessconditionset
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.conditional_access import ConditionalAccessPolicy, IncludeExclude

OTHER = "anything else"
"""The value every dimension has: an app, a platform, a place that no policy mentions."""
TRUSTED = "another trusted location"
"""A trusted place without an id of its own, such as the trusted IPs of per-user MFA."""
CLIENTS = ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other")
LEGACY_CLIENTS = frozenset({"exchangeActiveSync", "other"})
"""Clients that can neither do MFA nor prove a device, so that any grant control blocks them.
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions"""
MFA_TRUSTED_IPS = "00000000-0000-0000-0000-000000000000"
"""The id under which a policy names the trusted IPs of the per-user MFA service settings."""

OFFICE365 = "Office365"
OFFICE365_APPS = frozenset(
    {
        "00000002-0000-0ff1-ce00-000000000000",  # Office 365 Exchange Online
        "00000003-0000-0ff1-ce00-000000000000",  # Office 365 SharePoint Online
        "00000004-0000-0ff1-ce00-000000000000",  # Skype for Business Online
        "00000006-0000-0ff1-ce00-000000000000",  # Microsoft Office 365 Portal
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",  # Microsoft Teams Services
    }
)
"""The apps of the Office 365 suite that policies name one by one in practice.
https://learn.microsoft.com/entra/identity/conditional-access/reference-office-365-application-contents"""


def filtered_apps(policy: ConditionalAccessPolicy) -> str | None:
    """The value standing for "the apps this policy's filter selects", ``None`` without a filter.

    Which apps those are hangs on custom security attributes that are not read; as a value of its own they are
    covered or left out as the policy says, without being known one by one.
    """
    rule = policy.applications.filter_rule
    return None if rule is None else f"apps selected by the filter {rule}"


def targets_resources(policy: ConditionalAccessPolicy) -> bool:
    """Whether the policy is about access to resources; those about user actions or contexts alone are not."""
    apps = policy.applications
    return any(app != "None" for app in apps.include) or (
        apps.filter_rule is not None and apps.filter_mode == "include"
    )


def covers_app(policy: ConditionalAccessPolicy, app: str, *, selected: bool | None = None) -> bool:
    """``selected`` is whether the policy's filter selects the app; ``None`` where the app is a value of a situation."""
    apps = policy.applications
    by_filter = apps.filter_rule is not None and (app == filtered_apps(policy) if selected is None else selected)
    if _lists(apps.exclude, app) or (by_filter and apps.filter_mode == "exclude"):
        return False
    return "All" in apps.include or _lists(apps.include, app) or (by_filter and apps.filter_mode == "include")


def _lists(apps: tuple[str, ...], app: str) -> bool:
    return app in apps or (OFFICE365 in apps and app in OFFICE365_APPS)


def covers_client(policy: ConditionalAccessPolicy, client: str) -> bool:
    types = policy.client_app_types
    return (
        not types or "all" in types or client in types or (client == "exchangeActiveSync" and "easSupported" in types)
    )


def covers_platform(policy: ConditionalAccessPolicy, platform: str) -> bool:
    condition = policy.platforms
    if platform in condition.exclude or "all" in condition.exclude:
        return False
    return not condition.include or "all" in condition.include or platform in condition.include


def covers_location(policy: ConditionalAccessPolicy, location: str, *, trusted: bool) -> bool:
    condition = policy.locations
    if _places(condition.exclude, location, trusted=trusted):
        return False
    return not condition.include or _places(condition.include, location, trusted=trusted)


def _places(listed: tuple[str, ...], location: str, *, trusted: bool) -> bool:
    return "All" in listed or location in listed or (trusted and "AllTrusted" in listed)


def refers_to_locations(condition: IncludeExclude) -> bool:
    """Whether the condition names a place, so that the named locations have to be known."""
    return any(place != "All" for place in (*condition.include, *condition.exclude))


def covers_risk(levels: tuple[str, ...], risk: str) -> bool:
    """Whether a policy's sign-in or user risk levels hold the risk; ``none`` is a level of its own."""
    return not levels or risk in levels


def covers_flow(policy: ConditionalAccessPolicy, flow: str) -> bool:
    """Whether the policy's authentication flows hold the flow of a sign-in, ``none`` for an ordinary one."""
    return not policy.authentication_flows or flow in policy.authentication_flows


def covers_device(policy: ConditionalAccessPolicy, *, filter_matches: bool | None) -> bool | None:
    """Whether the policy covers a device of which its filter says this; ``None`` where the filter decides unknown."""
    device = policy.device_filter
    if device is None:
        return True
    return None if filter_matches is None else filter_matches != (device.mode == "exclude")


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What is the same in every situation of a plan, besides no risk and an unmanaged device."""

    flow: str = "none"
    """The authentication flow, ``deviceCodeFlow`` or ``authenticationTransfer``; ``none`` for an ordinary sign-in."""


BASELINE = Circumstances()
DEVICE_CODE = Circumstances(flow="deviceCodeFlow")


def outside_baseline(
    policy: ConditionalAccessPolicy, *, filter_matches: bool | None, circumstances: Circumstances = BASELINE
) -> tuple[str, ...]:
    """Microsoft's what-if reasons why the policy never applies in these circumstances.

    Empty if it may apply. ``filter_matches`` is what the filter for devices says of an unmanaged device. Codes:
    https://learn.microsoft.com/graph/api/resources/whatifanalysisresult
    """
    risks = (("signInRisk", policy.sign_in_risk_levels), ("userRisk", policy.user_risk_levels))
    codes = [code for code, levels in risks if not covers_risk(levels, "none")]
    codes += ["insiderRisk"] if policy.insider_risk_levels else []
    codes += [] if covers_flow(policy, circumstances.flow) else ["authenticationFlow"]
    codes += ["devices"] if covers_device(policy, filter_matches=filter_matches) is False else []
    return tuple(codes)
