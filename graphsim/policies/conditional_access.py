"""Conditional access policies as Graph writes them.

https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy
"""

from __future__ import annotations

from dataclasses import dataclass

from graphsim.directory.tenants import Json, Tenant
from graphsim.policies.access import authentication_strengths

ENABLED = "enabled"
DISABLED = "disabled"
REPORT_ONLY = "enabledForReportingButNotEnforced"
STATES = frozenset({ENABLED, DISABLED, REPORT_ONLY})


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What sets a policy apart from "all users, all applications, require MFA".

    ``controls`` ``None`` demands nothing at all (session controls only). ``device_filter`` is mode and rule.
    """

    name: str
    state: str = ENABLED
    include_users: tuple[str, ...] = ("All",)
    exclude_users: tuple[str, ...] = ()
    include_groups: tuple[str, ...] = ()
    exclude_groups: tuple[str, ...] = ()
    include_roles: tuple[str, ...] = ()
    include_guests: str = ""
    include_applications: tuple[str, ...] = ("All",)
    exclude_applications: tuple[str, ...] = ()
    client_apps: tuple[str, ...] = ("all",)
    include_platforms: tuple[str, ...] = ()
    exclude_locations: tuple[str, ...] = ()
    device_filter: tuple[str, str] | None = None
    sign_in_risks: tuple[str, ...] = ()
    transfer_methods: str = ""
    operator: str = "OR"
    controls: tuple[str, ...] | None = ("mfa",)
    strength: str = ""
    sign_in_hours: int = 0


def policy_id(tenant: Tenant, number: int) -> str:
    return tenant.object_id("policy", number)


def policy(tenant: Tenant, number: int, draft: Draft) -> Json:
    """The policy object of a draft, the ``number``th of its tenant."""
    return {
        "id": policy_id(tenant, number),
        "templateId": None,
        "deletedDateTime": None,
        "displayName": draft.name,
        "createdDateTime": tenant.ago(days=600 - 7 * number, seconds=number),
        "modifiedDateTime": tenant.ago(days=90 - number),
        "state": draft.state,
        "conditions": _conditions(draft),
        "grantControls": _grant(draft),
        "sessionControls": _session(draft),
    }


def _conditions(draft: Draft) -> Json:
    return {
        "applications": {
            "applicationFilter": None,
            "includeApplications": list(draft.include_applications),
            "excludeApplications": list(draft.exclude_applications),
            "includeUserActions": [],
            "includeAuthenticationContextClassReferences": [],
        },
        "authenticationFlows": {"transferMethods": draft.transfer_methods} if draft.transfer_methods else None,
        "clientApplications": None,
        "clientAppTypes": list(draft.client_apps),
        "devices": _devices(draft),
        "insiderRiskLevels": None,
        "locations": _locations(draft),
        "platforms": _platforms(draft),
        "servicePrincipalRiskLevels": [],
        "signInRiskLevels": list(draft.sign_in_risks),
        "userRiskLevels": [],
        "users": _users(draft),
    }


def _users(draft: Draft) -> Json:
    guests: Json = {
        "guestOrExternalUserTypes": draft.include_guests,
        "externalTenants": {
            "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
            "membershipKind": "all",
        },
    }
    return {
        "includeUsers": list(draft.include_users),
        "excludeUsers": list(draft.exclude_users),
        "includeGroups": list(draft.include_groups),
        "excludeGroups": list(draft.exclude_groups),
        "includeRoles": list(draft.include_roles),
        "excludeRoles": [],
        "includeGuestsOrExternalUsers": guests if draft.include_guests else None,
        "excludeGuestsOrExternalUsers": None,
    }


def _devices(draft: Draft) -> Json | None:
    if draft.device_filter is None:
        return None
    mode, rule = draft.device_filter
    return {"deviceFilter": {"mode": mode, "rule": rule}}


def _locations(draft: Draft) -> Json | None:
    if not draft.exclude_locations:
        return None
    return {"includeLocations": ["All"], "excludeLocations": list(draft.exclude_locations)}


def _platforms(draft: Draft) -> Json | None:
    if not draft.include_platforms:
        return None
    return {"includePlatforms": list(draft.include_platforms), "excludePlatforms": []}


def _grant(draft: Draft) -> Json | None:
    if draft.controls is None:
        return None
    strengths = {str(each["id"]): each for each in authentication_strengths()}
    return {
        "operator": draft.operator,
        "builtInControls": list(draft.controls),
        "customAuthenticationFactors": [],
        "termsOfUse": [],
        "authenticationStrength": strengths[draft.strength] if draft.strength else None,
    }


def _session(draft: Draft) -> Json | None:
    if not draft.sign_in_hours:
        return None
    return {
        "applicationEnforcedRestrictions": None,
        "cloudAppSecurity": None,
        "disableResilienceDefaults": None,
        "persistentBrowser": None,
        "secureSignInSession": None,
        "signInFrequency": {
            "authenticationType": "primaryAndSecondaryAuthentication",
            "frequencyInterval": "timeBased",
            "isEnabled": True,
            "type": "hours",
            "value": draft.sign_in_hours,
        },
    }
