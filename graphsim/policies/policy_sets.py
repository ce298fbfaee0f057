"""The conditional access policies each policy set consists of, in short form.

``conditional_access`` writes them out as Graph does.
"""

from __future__ import annotations

from collections.abc import Callable

from graphsim.directory import groups
from graphsim.directory.postures import PolicySet
from graphsim.directory.roles import ADMIN_ROLES
from graphsim.directory.tenants import Tenant
from graphsim.policies.access import STRENGTH_MFA, STRENGTH_PHISHING_RESISTANT, countries_id
from graphsim.policies.conditional_access import DISABLED, REPORT_ONLY, Draft

AZURE_MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
"""Windows Azure Service Management API, Microsoft's own application id."""
_LEGACY = ("exchangeActiveSync", "other")
_GUESTS = "internalGuest,b2bCollaborationGuest,b2bCollaborationMember"


def drafts(tenant: Tenant) -> tuple[Draft, ...]:
    """The policies of a tenant, in the order they were made."""
    return _SETS[tenant.posture.policy_set](tenant)


def _break_glass(tenant: Tenant) -> tuple[str, ...]:
    return (tenant.group_id(groups.BREAK_GLASS),)


def _department(tenant: Tenant, name: str) -> tuple[str, ...]:
    return (tenant.group_id(groups.department_group(name)),)


def _block_legacy(tenant: Tenant) -> Draft:
    return Draft(
        name="CA001 Block legacy authentication",
        exclude_groups=_break_glass(tenant),
        client_apps=_LEGACY,
        controls=("block",),
    )


def _enforced(tenant: Tenant) -> tuple[Draft, ...]:
    return (
        _block_legacy(tenant),
        Draft(name="CA002 Require MFA for all users", exclude_groups=_break_glass(tenant)),
        Draft(
            name="CA003 Require phishing-resistant MFA for administrators",
            include_users=(),
            include_roles=ADMIN_ROLES,
            exclude_groups=_break_glass(tenant),
            controls=(),
            strength=STRENGTH_PHISHING_RESISTANT,
        ),
        Draft(
            name="CA004 Block device code flow",
            exclude_groups=_break_glass(tenant),
            transfer_methods="deviceCodeFlow",
            controls=("block",),
        ),
        Draft(
            name="CA005 Require a compliant device",
            state=REPORT_ONLY,
            include_users=(),
            include_groups=(tenant.group_id(groups.MFA_PILOT),),
            controls=("compliantDevice",),
        ),
    )


def _trusted_locations(tenant: Tenant) -> tuple[Draft, ...]:
    excluded = (*_break_glass(tenant), tenant.group_id(groups.SERVICE_ACCOUNTS))
    return (
        _block_legacy(tenant),
        Draft(name="CA002 Require MFA outside the office", exclude_groups=excluded, exclude_locations=("AllTrusted",)),
        Draft(
            name="CA003 Require MFA for administrators",
            include_users=(),
            include_roles=ADMIN_ROLES,
            exclude_groups=_break_glass(tenant),
        ),
        Draft(
            name="CA004 Require MFA for Azure management",
            exclude_groups=excluded,
            include_applications=(AZURE_MANAGEMENT,),
        ),
        Draft(name="CA099 Old MFA pilot", state=DISABLED, exclude_groups=_break_glass(tenant)),
    )


def _report_only(tenant: Tenant) -> tuple[Draft, ...]:
    return (
        Draft(name="CA001 Require MFA for all users", state=REPORT_ONLY, exclude_groups=_break_glass(tenant)),
        Draft(
            name="CA002 Require MFA for administrators",
            state=DISABLED,
            include_users=(),
            include_roles=ADMIN_ROLES,
        ),
        Draft(
            name="CA003 Block legacy authentication for Sales",
            include_users=(),
            include_groups=_department(tenant, "Sales"),
            client_apps=_LEGACY,
            controls=("block",),
        ),
        Draft(
            name="CA004 Sign-in frequency for guests",
            include_users=(),
            include_guests=_GUESTS,
            controls=None,
            sign_in_hours=12,
        ),
    )


def _pilot(tenant: Tenant) -> tuple[Draft, ...]:
    return (
        Draft(
            name="CA001 Require MFA for the pilot",
            include_users=(),
            include_groups=(tenant.group_id(groups.MFA_PILOT),),
            exclude_users=(tenant.user_id(4),),
        ),
        Draft(
            name="CA002 Require MFA and a compliant device for administrators",
            include_users=(),
            include_roles=ADMIN_ROLES,
            exclude_groups=_break_glass(tenant),
            operator="AND",
            controls=("mfa", "compliantDevice"),
        ),
        Draft(name="CA003 Require MFA for guests", include_users=(), include_guests=_GUESTS),
        Draft(
            name="CA004 Require MFA or a compliant device for Sales",
            include_users=(),
            include_groups=(tenant.group_id(groups.TRAVELERS),),
            controls=("mfa", "compliantDevice"),
        ),
        Draft(
            name="CA005 Require MFA on Android for Operations",
            include_users=(),
            include_groups=_department(tenant, "Operations"),
            include_platforms=("android",),
        ),
        Draft(
            name="CA006 Require MFA at high risk for Marketing",
            include_users=(),
            include_groups=_department(tenant, "Marketing"),
            sign_in_risks=("high",),
        ),
        Draft(
            name="CA007 Require MFA in the browser for Engineering",
            include_users=(),
            include_groups=_department(tenant, "Engineering"),
            client_apps=("browser",),
            device_filter=("exclude", 'device.trustType -eq "ServerAD"'),
        ),
    )


def _strength(tenant: Tenant) -> tuple[Draft, ...]:
    return (
        _block_legacy(tenant),
        Draft(
            name="CA002 Require MFA except in the time clock",
            exclude_groups=_break_glass(tenant),
            exclude_applications=(tenant.object_id("timeclock"),),
            controls=(),
            strength=STRENGTH_MFA,
        ),
        Draft(
            name="CA003 Block other countries",
            exclude_groups=(*_break_glass(tenant), tenant.group_id(groups.TRAVELERS)),
            exclude_locations=(countries_id(tenant),),
            controls=("block",),
        ),
    )


def _none(tenant: Tenant) -> tuple[Draft, ...]:
    del tenant  # has no policies whoever it is
    return ()


_SETS: dict[PolicySet, Callable[[Tenant], tuple[Draft, ...]]] = {
    PolicySet.ENFORCED: _enforced,
    PolicySet.TRUSTED_LOCATIONS: _trusted_locations,
    PolicySet.REPORT_ONLY: _report_only,
    PolicySet.SECURITY_DEFAULTS: _none,
    PolicySet.PILOT: _pilot,
    PolicySet.STRENGTH: _strength,
    PolicySet.NOTHING: _none,
}
