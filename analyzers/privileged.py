"""Who holds a privileged role, and which roles security defaults treat as administrators.

Shared by the analyzers. Roles are known by *template id*, which is the same in every tenant, never by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.domain.capture import Resource
from pipeline.domain.graph import TenantGraph

PRIVILEGED_SOURCE = "https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"
SECURITY_DEFAULTS_SOURCE = "https://learn.microsoft.com/entra/fundamentals/security-defaults"

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"

PRIVILEGED_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "db506228-d27e-4b7d-95e5-295956d6615f": "Agent ID Administrator",
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
        "cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer",
        "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe": "Attribute Provisioning Administrator",
        "422218e4-db15-4ef9-bbe0-8afb41546d79": "Attribute Provisioning Reader",
        "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
        "25a516ed-2fa0-40ea-a2d0-12923a21473a": "Authentication Extensibility Administrator",
        "aaf43236-0c0d-4d5f-883a-6955382ac081": "B2C IEF Keyset Administrator",
        "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
        "7698a772-787b-4ac8-901f-60d6b08affd2": "Cloud Device Administrator",
        "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
        "9360feb5-f418-4baa-8175-e2a00bac4301": "Directory Writers",
        "8329153b-31d0-4727-b945-745eb3bc5f31": "Domain Name Administrator",
        "be2f45a1-457d-42af-a067-6ec1fa63bc45": "External Identity Provider Administrator",
        GLOBAL_ADMINISTRATOR: "Global Administrator",
        "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
        "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": "Hybrid Identity Administrator",
        "3a2c62db-5318-420d-8d74-23affee5d9d5": "Intune Administrator",
        "59d46f88-662b-457b-bceb-5c3809e5908f": "Lifecycle Workflows Administrator",
        "4ba39ca4-527c-499a-b93d-d9b492c50246": "Partner Tier1 Support",
        "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8": "Partner Tier2 Support",
        "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
        "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
        "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
        "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "Security Operator",
        "5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
        "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    }
)
"""Template id → name of every built-in role that ``PRIVILEGED_SOURCE`` marks PRIVILEGED (page of 2026-01-20)."""

SECURITY_DEFAULTS_ADMIN_ROLES: Mapping[str, str] = MappingProxyType(
    {
        GLOBAL_ADMINISTRATOR: "Global Administrator",
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
        "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
        "0526716b-113d-4c15-b2c8-68e3c22b9f80": "Authentication Policy Administrator",
        "b0f54661-2d74-4c50-afa3-1ec803f12efe": "Billing Administrator",
        "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
        "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
        "29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
        "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
        "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "Identity Governance Administrator",
        "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
        "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
        "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
        "f28a1f50-f6e7-4571-818b-6a12f2af6b6c": "SharePoint Administrator",
        "69091246-20e8-4a56-aa4d-066075b2a7a8": "Teams Administrator",
        "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    }
)
"""Template id → name of the roles that ``SECURITY_DEFAULTS_SOURCE`` asks for MFA at every sign-in."""


ASSIGNMENTS = (Resource.ROLE_ASSIGNMENTS, Resource.ROLE_DEFINITIONS)
ROLES = (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, *ASSIGNMENTS, Resource.GROUPS)
"""The inputs of a rule that asks who holds which role; the assignments only where they were asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holders:
    """``ids`` of the identities that hold a privileged role, or ``None`` and the reason why that cannot be told."""

    ids: frozenset[str] | None
    reason: str = ""
    grants: frozenset[tuple[str, str]] | None = None
    """(identity id, role template id) of every privileged role held."""


def roles_unreadable(graph: TenantGraph) -> str | None:
    """Why it cannot be told which roles users hold, ``None`` if it can.

    A role may come through a group, but only through a role-assignable one
    (https://learn.microsoft.com/entra/identity/role-based-access-control/groups-concept), so members of groups
    matter only where such a group exists. Role assignments and definitions matter where they were asked for: a capture
    from before they were read is judged by its directory roles, which hold all but the roles a tenant made itself.
    """
    asked_for = (resource for resource in ASSIGNMENTS if resource in graph.inputs)
    reason = graph.unreadable(Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, *asked_for, Resource.GROUPS)
    if reason is None and any(group.role_assignable for group in graph.groups.values()):
        return graph.unreadable(Resource.GROUP_MEMBERS)
    return reason


def privileged(graph: TenantGraph) -> Holders:
    """The identities holding an active, tenant-wide privileged role, directly or through a group."""
    reason = roles_unreadable(graph)
    if reason is not None:
        return Holders(ids=None, reason=reason)
    grants = frozenset(
        (identity, role)
        for identity, roles in graph.roles_of.items()
        if not PRIVILEGED_ROLES.keys().isdisjoint(roles)
        for role in roles & PRIVILEGED_ROLES.keys()
    )
    return Holders(ids=frozenset(identity for identity, _ in grants), grants=grants)
