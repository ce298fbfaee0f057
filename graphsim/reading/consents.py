"""What applications were allowed: application permissions and delegated ones, all of them Microsoft Graph's.

https://learn.microsoft.com/graph/api/resources/approleassignment and ``oauth2permissiongrant``; the permissions' ids:
https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from graphsim.directory.app_registrations import GRAPH, application_name, find_principal, service_principal
from graphsim.directory.seeding import draw, guid
from graphsim.directory.tenants import Json, Tenant
from graphsim.reading.reads import Entries, Place, listed
from graphsim.world.state import TenantState

PERMISSIONS = {
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
}
_TIMID = ("User.Read.All",)
_OLD_GRANT = 5


def graph_principal(tenant: Tenant) -> Json:
    """Microsoft Graph itself, which every tenant has among its service principals."""
    roles: list[Json] = [
        {
            "id": key,
            "allowedMemberTypes": ["Application"],
            "description": f"Allows the app to use {name} without a signed-in user.",
            "displayName": name,
            "isEnabled": True,
            "origin": "Application",
            "value": name,
        }
        for name, key in PERMISSIONS.items()
    ]
    return service_principal(tenant, 0) | {
        "id": graph_principal_id(tenant),
        "appId": GRAPH,
        "appDisplayName": "Microsoft Graph",
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "appRoles": roles,
        "displayName": "Microsoft Graph",
        "servicePrincipalNames": [GRAPH, "https://graph.microsoft.com"],
        "signInAudience": "AzureADMultipleOrgs",
        "tags": [],
    }


def graph_principal_id(tenant: Tenant) -> str:
    return tenant.object_id("graphprincipal")


def app_role_assignments(state: TenantState, place: Place) -> Entries:
    """The application permissions of a service principal: the provider's application has all it needs."""
    tenant, number = state.tenant, principal_number(state, place.key)
    if number is None:
        return listed([], place)
    names = tuple(PERMISSIONS) if number == 0 else _TIMID if number % 2 else ()
    return listed([_assignment(tenant, number, name) for name in names], place)


def principal_number(state: TenantState, key: str) -> int | None:
    """Which application a service principal is of, ``None`` for Microsoft's own; raises Graph's 404."""
    if key == graph_principal_id(state.tenant):
        return None
    return find_principal(state.tenant, key)


def _assignment(tenant: Tenant, number: int, permission: str) -> Json:
    principal = str(service_principal(tenant, number)["id"])
    raw = draw(tenant.key, f"granted{permission[:9]}".encode(), number)
    return {
        "id": urlsafe_b64encode(raw[:32]).decode().rstrip("="),
        "deletedDateTime": None,
        "appRoleId": PERMISSIONS[permission],
        "createdDateTime": tenant.ago(days=600),
        "principalDisplayName": application_name(number),
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": graph_principal_id(tenant),
    }


def permission_grants(state: TenantState, place: Place) -> Entries:
    """Delegated permissions: by an administrator for everybody, and where users may consent, by one of them."""
    tenant = state.tenant
    grants = [_grant(tenant, 1, "User.Read openid profile", "")]
    if not tenant.posture.tidy and state.exists(_OLD_GRANT):
        grants.append(_grant(tenant, 2, "Mail.Read offline_access", tenant.user_id(_OLD_GRANT)))
    return listed(grants, place)


def _grant(tenant: Tenant, number: int, scope: str, principal: str) -> Json:
    return {
        "id": guid(draw(tenant.key, b"grant", number)).replace("-", ""),
        "clientId": service_principal(tenant, number)["id"],
        "consentType": "Principal" if principal else "AllPrincipals",
        "principalId": principal or None,
        "resourceId": graph_principal_id(tenant),
        "scope": scope,
    }
