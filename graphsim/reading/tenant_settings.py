"""Settings of groups, and how the tenant works with others.

https://learn.microsoft.com/graph/api/resources/groupsetting and ``crosstenantaccesspolicyconfigurationdefault``
"""

from __future__ import annotations

from graphsim.directory.tenants import Json, Tenant
from graphsim.reading.reads import Entries, Place, listed
from graphsim.world.state import TenantState

_UNIFIED = "62375ab9-6b52-47ed-826b-58e47e0e304b"


def group_settings(state: TenantState, place: Place) -> Entries:
    """Only tidy tenants ever changed them."""
    tenant = state.tenant
    if not tenant.posture.tidy:
        return listed([], place)
    values = {
        "EnableGroupCreation": "false",
        "AllowGuestsToBeGroupOwner": "false",
        "AllowGuestsToAccessGroups": "true",
        "AllowToAddGuests": "false",
        "EnableMSStandardBlockedWords": "false",
        "ClassificationList": "",
        "UsageGuidelinesUrl": "",
    }
    body: Json = {
        "id": tenant.object_id("groupsetting"),
        "displayName": "Group.Unified",
        "templateId": _UNIFIED,
        "values": [{"name": name, "value": value} for name, value in values.items()],
    }
    return listed([body], place)


def cross_tenant_default(tenant: Tenant) -> Json:
    """Tidy tenants trust the MFA of others; the rest has Microsoft's default."""
    trusting = tenant.posture.tidy
    return {
        "id": tenant.id,
        "isServiceDefault": not trusting,
        "automaticUserConsentSettings": {"inboundAllowed": False, "outboundAllowed": False},
        "b2bCollaborationInbound": _b2b("AllUsers", "AllApplications", "allowed"),
        "b2bCollaborationOutbound": _b2b("AllUsers", "AllApplications", "allowed"),
        "b2bDirectConnectInbound": _b2b("AllUsers", "AllApplications", "blocked"),
        "b2bDirectConnectOutbound": _b2b("AllUsers", "AllApplications", "blocked"),
        "inboundTrust": {
            "isCompliantDeviceAccepted": False,
            "isHybridAzureADJoinedDeviceAccepted": False,
            "isMfaAccepted": trusting,
        },
        "invitationRedemptionIdentityProviderConfiguration": {
            "fallbackIdentityProvider": "defaultConfiguredIdp",
            "primaryIdentityProviderPrecedenceOrder": [
                "externalFederation",
                "azureActiveDirectory",
                "socialIdentityProviders",
            ],
        },
        "tenantRestrictions": None,
    }


def _b2b(users: str, applications: str, access: str) -> Json:
    return {
        "usersAndGroups": {"accessType": access, "targets": [{"target": users, "targetType": "user"}]},
        "applications": {"accessType": access, "targets": [{"target": applications, "targetType": "application"}]},
    }
