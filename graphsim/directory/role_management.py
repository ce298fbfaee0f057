"""Role definitions and assignments, and what PIM makes somebody eligible for.

https://learn.microsoft.com/graph/api/resources/unifiedroledefinition, ``unifiedroleassignment`` and
``unifiedroleeligibilityscheduleinstance``. Tenants with Entra ID P1 have a role of their own; the tidy ones among them
assign it in the whole tenant, the others let somebody manage the users of an administrative unit.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from uuid import UUID

from graphsim.directory import catalog
from graphsim.directory.builtin_roles import BUILT_IN_ROLES
from graphsim.directory.roles import GLOBAL_ADMINISTRATOR, USER_ADMINISTRATOR, role_plans
from graphsim.directory.tenants import Json, Tenant

WHOLE_TENANT = "/"
_READ_ONLY = ("microsoft.directory/applications/standard/read", "microsoft.directory/users/standard/read")
_CUSTOM = (
    "microsoft.directory/applications/audience/update",
    "microsoft.directory/applications/basic/update",
    "microsoft.directory/applications/credentials/update",
)
_CUSTOM_HOLDER = 4  # the administrator who also keeps Exchange
_ELIGIBLE = 3  # the administrator of roles, who activates Global Administrator when it is needed


def custom_role_id(tenant: Tenant) -> str:
    return tenant.object_id("customrole")


def administrative_unit_id(tenant: Tenant) -> str:
    """The branch office, whose users the service desk looks after."""
    return tenant.object_id("adminunit")


def has_pim(tenant: Tenant) -> bool:
    """Privileged Identity Management needs Microsoft Entra ID P2."""
    return any(plan == catalog.P2_PLAN for sku in tenant.posture.skus for plan, _ in sku.plans)


def role_definitions(tenant: Tenant) -> list[Json]:
    """Every built-in role, by name, and the tenant's own one."""
    told = {plan.template_id: plan.description for plan in role_plans(tenant)}
    built_in = [
        _definition(key, name, told.get(key, f"Has the permissions of the built-in role {name}."))
        for key, name in BUILT_IN_ROLES.items()
    ]
    if not tenant.posture.premium:
        return built_in
    own = _definition(
        custom_role_id(tenant), "Application Support Admin", "Looks after the applications.", built_in=False
    )
    return [*built_in, own]


def _definition(key: str, name: str, description: str, *, built_in: bool = True) -> Json:
    allowed = _READ_ONLY if built_in else _CUSTOM
    return {
        "id": key,
        "description": description,
        "displayName": name,
        "isBuiltIn": built_in,
        "isEnabled": True,
        "resourceScopes": [WHOLE_TENANT],
        "rolePermissions": [{"allowedResourceActions": list(allowed), "condition": None}],
        "templateId": key,
        "version": "1" if built_in else None,
    }


def directory_role_templates(tenant: Tenant) -> list[Json]:
    """https://learn.microsoft.com/graph/api/resources/directoryroletemplate"""
    return [
        {
            "id": definition["templateId"],
            "deletedDateTime": None,
            "description": definition["description"],
            "displayName": definition["displayName"],
        }
        for definition in role_definitions(tenant)
        if definition["isBuiltIn"]
    ]


def further_assignments(tenant: Tenant) -> Iterator[tuple[str, int, str]]:
    """``(definition id, user number, scope)`` of assignments that no list of a directory role's members shows."""
    if not tenant.posture.premium:
        return
    if tenant.posture.tidy:
        yield custom_role_id(tenant), _CUSTOM_HOLDER, WHOLE_TENANT
    elif tenant.helpdesk:
        unit = f"/administrativeUnits/{administrative_unit_id(tenant)}"
        yield USER_ADMINISTRATOR, tenant.helpdesk[0], unit


def assignment(definition_id: str, principal: Json, scope: str = WHOLE_TENANT) -> Json:
    """One assignment; ``principal`` comes with ``$expand`` only."""
    principal_id = str(principal["id"])
    return {
        "id": assignment_id(definition_id, principal_id, scope),
        "appScopeId": None,
        "condition": None,
        "directoryScopeId": scope,
        "principalId": principal_id,
        "roleDefinitionId": definition_id,
        "principal": principal,
    }


def assignment_id(definition_id: str, principal_id: str, scope: str = WHOLE_TENANT) -> str:
    """Microsoft's: both ids' bytes in URL-safe base64, and a number for the kind of scope."""
    both = UUID(definition_id).bytes_le + UUID(principal_id).bytes_le
    return f"{urlsafe_b64encode(both).decode().rstrip('=')}-{1 if scope == WHOLE_TENANT else 2}"


def eligible_roles() -> tuple[tuple[str, int], ...]:
    """``(definition id, user number)`` of those who may activate a role, in tenants with PIM."""
    return ((GLOBAL_ADMINISTRATOR, _ELIGIBLE),)


def eligibility(tenant: Tenant, definition_id: str, user_number: int) -> Json:
    user_id = tenant.user_id(user_number)
    return {
        "id": f"{assignment_id(definition_id, user_id)}-e",
        "appScopeId": None,
        "directoryScopeId": WHOLE_TENANT,
        "endDateTime": None,
        "memberType": "Direct",
        "principalId": user_id,
        "roleDefinitionId": definition_id,
        "roleEligibilityScheduleId": tenant.object_id("eligibility", user_number),
        "startDateTime": tenant.ago(days=300),
    }
