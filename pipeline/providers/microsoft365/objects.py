"""Everything but users and policies from Graph's payload to the domain's value; one function a type."""

from __future__ import annotations

from pipeline.domain.conditional_access import AuthenticationStrength, NamedLocation, SecurityDefaults
from pipeline.domain.entities import Group, License, Role
from pipeline.providers.microsoft365 import payloads
from pipeline.providers.microsoft365.policies import flags


def group(payload: payloads.Group) -> Group:
    return Group(
        id=payload.id,
        display_name=payload.display_name or "",
        security_enabled=payload.security_enabled,
        role_assignable=payload.is_assignable_to_role is True,
    )


def role(payload: payloads.DirectoryRole) -> Role:
    """Known by its template id, the same in every tenant and the one that policies name."""
    return Role(id=payload.role_template_id or payload.id, display_name=payload.display_name or "")


def role_of(payload: payloads.RoleDefinition) -> Role:
    return Role(
        id=payload.template_id or payload.id,
        display_name=payload.display_name or "",
        built_in=payload.is_built_in is not False,
    )


def license_of(payload: payloads.SubscribedSku) -> License:
    units = payload.prepaid_units or payloads.Units()
    return License(
        id=payload.sku_id,
        part_number=payload.sku_part_number or "",
        applies_to=payload.applies_to or "User",
        capability_status=payload.capability_status or "Enabled",
        consumed_units=payload.consumed_units or 0,
        enabled_units=units.enabled or 0,
        warning_units=units.warning or 0,
        suspended_units=units.suspended or 0,
        service_plan_ids=tuple(sorted({plan.service_plan_id for plan in payload.service_plans or ()})),
    )


def named_location(payload: payloads.NamedLocation) -> NamedLocation:
    return NamedLocation(id=payload.id, display_name=payload.display_name or "", trusted=payload.is_trusted is True)


def authentication_strength(payload: payloads.AuthenticationStrength) -> AuthenticationStrength:
    satisfied = "mfa" if "mfa" in flags(payload.requirements_satisfied) else "none"
    return AuthenticationStrength(
        id=payload.id, display_name=payload.display_name or "", requirements_satisfied=satisfied
    )


def security_defaults(payload: payloads.SecurityDefaults) -> SecurityDefaults:
    return SecurityDefaults(id=payload.id, enabled=payload.is_enabled)
