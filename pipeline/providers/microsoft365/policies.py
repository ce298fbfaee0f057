"""A conditional access policy from Graph's payload to the domain's value."""

from __future__ import annotations

from pipeline.domain.conditional_access import (
    ConditionalAccessPolicy,
    DeviceFilter,
    Grant,
    GuestScope,
    IncludeExclude,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
)
from pipeline.providers.microsoft365 import payloads
from pipeline.providers.microsoft365.moments import in_utc


def flags(value: payloads.Flags) -> tuple[str, ...]:
    """``"a, b"`` as ``("a", "b")``; ``none``, the flag of no flags, is left out."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    return tuple(name for part in parts if (name := part.strip()) and name != "none")


def policy(payload: payloads.Policy) -> ConditionalAccessPolicy:
    """The policy with all its conditions; a condition that Graph leaves out is the domain's "not configured"."""
    conditions = payload.conditions or payloads.Conditions()
    platforms = conditions.platforms or payloads.PlatformsCondition()
    locations = conditions.locations or payloads.LocationsCondition()
    flows = conditions.authentication_flows
    return ConditionalAccessPolicy(
        id=payload.id,
        display_name=payload.display_name or "",
        state=payload.state or PolicyState.DISABLED.value,
        created_at=in_utc(payload.created_date_time),
        modified_at=in_utc(payload.modified_date_time),
        users=_users(conditions.users or payloads.UsersCondition()),
        applications=_applications(conditions.applications or payloads.ApplicationsCondition()),
        client_app_types=conditions.client_app_types or (),
        platforms=_both(platforms.include_platforms, platforms.exclude_platforms),
        locations=_both(locations.include_locations, locations.exclude_locations),
        device_filter=_device_filter(conditions.devices),
        sign_in_risk_levels=conditions.sign_in_risk_levels or (),
        user_risk_levels=conditions.user_risk_levels or (),
        insider_risk_levels=flags(conditions.insider_risk_levels),
        service_principal_risk_levels=conditions.service_principal_risk_levels or (),
        authentication_flows=flags(flows.transfer_methods) if flows else (),
        workload_identities_only=_names_workloads(conditions.client_applications),
        grant=_grant(payload.grant_controls),
    )


def _users(users: payloads.UsersCondition) -> PolicyUsers:
    return PolicyUsers(
        include_users=users.include_users or (),
        exclude_users=users.exclude_users or (),
        include_groups=users.include_groups or (),
        exclude_groups=users.exclude_groups or (),
        include_roles=users.include_roles or (),
        exclude_roles=users.exclude_roles or (),
        include_guests=_guests(users.include_guests_or_external_users),
        exclude_guests=_guests(users.exclude_guests_or_external_users),
    )


def _guests(guests: payloads.GuestsOrExternalUsers | None) -> GuestScope | None:
    """https://learn.microsoft.com/graph/api/resources/conditionalaccessguestsorexternalusers"""
    if guests is None:
        return None
    tenants = guests.external_tenants
    named = tenants.members or () if tenants and tenants.membership_kind == "enumerated" else None
    return GuestScope(kinds=flags(guests.guest_or_external_user_types), external_tenant_ids=named)


def _applications(applications: payloads.ApplicationsCondition) -> PolicyApplications:
    filtered = applications.application_filter or payloads.Filter()
    return PolicyApplications(
        include=applications.include_applications or (),
        exclude=applications.exclude_applications or (),
        user_actions=applications.include_user_actions or (),
        authentication_contexts=applications.include_authentication_context_class_references or (),
        filter_mode=filtered.mode,
        filter_rule=filtered.rule,
    )


def _both(include: payloads.Strings, exclude: payloads.Strings) -> IncludeExclude:
    return IncludeExclude(include=include or (), exclude=exclude or ())


def _device_filter(devices: payloads.DevicesCondition | None) -> DeviceFilter | None:
    if devices is None or devices.device_filter is None:
        return None
    return DeviceFilter(mode=devices.device_filter.mode or "include", rule=devices.device_filter.rule or "")


def _names_workloads(clients: payloads.ClientApplicationsCondition | None) -> bool:
    """https://learn.microsoft.com/graph/api/resources/conditionalaccessclientapplications"""
    return clients is not None and bool(clients.include_service_principals or clients.service_principal_filter)


def _satisfies(strength: payloads.StrengthReference | None) -> str | None:
    """What the strength satisfies, where the policy says it; a bare id says nothing."""
    if strength is None or strength.requirements_satisfied is None:
        return None
    return "mfa" if "mfa" in flags(strength.requirements_satisfied) else "none"


def _grant(controls: payloads.GrantControls | None) -> Grant | None:
    """``None`` also for grant controls that name no control: they demand nothing."""
    if controls is None:
        return None
    grant = Grant(
        operator=(controls.operator or "OR").upper(),
        built_in_controls=controls.built_in_controls or (),
        custom_controls=controls.custom_authentication_factors or (),
        terms_of_use=controls.terms_of_use or (),
        authentication_strength_id=controls.authentication_strength.id if controls.authentication_strength else None,
        authentication_strength_satisfies=_satisfies(controls.authentication_strength),
    )
    named = grant.built_in_controls or grant.custom_controls or grant.terms_of_use or grant.authentication_strength_id
    return grant if named else None
