"""Directory roles and who holds them: https://learn.microsoft.com/graph/api/resources/directoryrole.

Template ids are Microsoft's: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
"""

from __future__ import annotations

from dataclasses import dataclass

from graphsim.directory import groups
from graphsim.directory.tenants import Json, Tenant

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
SECURITY_ADMINISTRATOR = "194ae4cb-b126-40b2-bd5b-6091b380977d"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
SHAREPOINT_ADMINISTRATOR = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
HELPDESK_ADMINISTRATOR = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
CONDITIONAL_ACCESS_ADMINISTRATOR = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"

ADMIN_ROLES = (
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    SECURITY_ADMINISTRATOR,
    EXCHANGE_ADMINISTRATOR,
    SHAREPOINT_ADMINISTRATOR,
    USER_ADMINISTRATOR,
    HELPDESK_ADMINISTRATOR,
    CONDITIONAL_ACCESS_ADMINISTRATOR,
)
"""The roles that the tenants' policies for administrators name."""


_LAST_ADMIN = 5  # ``postures.head`` begins with two break-glass accounts and four administrators


@dataclass(frozen=True, kw_only=True, slots=True)
class RolePlan:
    """An activated role; ``users`` and ``groups`` are numbers."""

    template_id: str
    name: str
    description: str
    users: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()


def role_plans(tenant: Tenant) -> tuple[RolePlan, ...]:
    """The activated roles. Untidy tenants have one more global administrator, the stale one."""
    owners = (0, 1, 2) if tenant.posture.tidy else (0, 1, 2, 5)
    return (
        RolePlan(
            template_id=GLOBAL_ADMINISTRATOR,
            name="Global Administrator",
            description="Can manage all aspects of Microsoft Entra ID and Microsoft services that use it.",
            users=owners,
        ),
        RolePlan(
            template_id=PRIVILEGED_ROLE_ADMINISTRATOR,
            name="Privileged Role Administrator",
            description="Can manage role assignments and all aspects of Privileged Identity Management.",
            users=(3,),
        ),
        RolePlan(
            template_id=SECURITY_ADMINISTRATOR,
            name="Security Administrator",
            description="Can read security information and reports, and manage security configuration.",
            groups=(groups.SECURITY,),
        ),
        RolePlan(
            template_id=EXCHANGE_ADMINISTRATOR,
            name="Exchange Administrator",
            description="Can manage all aspects of Exchange.",
            users=(4,),
        ),
        RolePlan(
            template_id=USER_ADMINISTRATOR,
            name="User Administrator",
            description="Can manage users and groups, including passwords of non-administrators.",
            users=(3, 4),
        ),
        RolePlan(
            template_id=HELPDESK_ADMINISTRATOR,
            name="Helpdesk Administrator",
            description="Can reset passwords of non-administrators and Helpdesk Administrators.",
            groups=(groups.HELPDESK,),
        ),
        RolePlan(
            template_id=GLOBAL_READER,
            name="Global Reader",
            description="Can read everything that a Global Administrator can, but not change it.",
            users=(5,),
        ),
        RolePlan(
            template_id=DIRECTORY_READERS,
            name="Directory Readers",
            description="Can read basic directory information.",
            users=(6, 7),
        ),
    )


def role_object_id(tenant: Tenant, plan: RolePlan) -> str:
    """The id of the activated role, which differs from tenant to tenant."""
    return tenant.object_id(f"role{plan.template_id[:8]}")


def role(tenant: Tenant, plan: RolePlan) -> Json:
    return {
        "id": role_object_id(tenant, plan),
        "deletedDateTime": None,
        "description": plan.description,
        "displayName": plan.name,
        "roleTemplateId": plan.template_id,
    }


def is_admin(tenant: Tenant, number: int) -> bool:
    """Whether a user holds a role other than Directory Readers, directly or through a group."""
    return number <= _LAST_ADMIN or number in tenant.helpdesk
