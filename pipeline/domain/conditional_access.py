"""Conditional access as a tenant has it: its policies and what they refer to, independent of the provider.

Enumerated fields keep Microsoft's spelling, as in ``entities``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PolicyState(StrEnum):
    """State of a conditional access policy; only ``enabled`` has an effect on a sign-in."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    REPORT_ONLY = "enabledForReportingButNotEnforced"


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestScope:
    """``includeGuestsOrExternalUsers``: kinds arrive as one CSV string and are split here."""

    kinds: tuple[str, ...] = ()
    external_tenant_ids: tuple[str, ...] | None = None
    """``None``: all external tenants."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyUsers:
    include_users: tuple[str, ...] = ()
    exclude_users: tuple[str, ...] = ()
    include_groups: tuple[str, ...] = ()
    exclude_groups: tuple[str, ...] = ()
    include_roles: tuple[str, ...] = ()
    exclude_roles: tuple[str, ...] = ()
    include_guests: GuestScope | None = None
    exclude_guests: GuestScope | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyApplications:
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    user_actions: tuple[str, ...] = ()
    authentication_contexts: tuple[str, ...] = ()
    filter_mode: str | None = None
    filter_rule: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IncludeExclude:
    """A condition with two lists (platforms, locations). Both empty: not configured, matches all."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceFilter:
    mode: str
    """``include`` or ``exclude``."""
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What a policy demands. ``operator`` is ``AND`` or ``OR``."""

    operator: str = "OR"
    built_in_controls: tuple[str, ...] = ()
    custom_controls: tuple[str, ...] = ()
    terms_of_use: tuple[str, ...] = ()
    authentication_strength_id: str | None = None
    authentication_strength_satisfies: str | None = None
    """``mfa`` or ``none`` where the policy itself told what its strength satisfies, as Graph's policies do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionalAccessPolicy:
    """https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy"""

    id: str
    display_name: str = ""
    state: str = PolicyState.DISABLED
    created_at: datetime | None = None
    modified_at: datetime | None = None
    users: PolicyUsers = PolicyUsers()
    applications: PolicyApplications = PolicyApplications()
    client_app_types: tuple[str, ...] = ()
    platforms: IncludeExclude = IncludeExclude()
    locations: IncludeExclude = IncludeExclude()
    device_filter: DeviceFilter | None = None
    sign_in_risk_levels: tuple[str, ...] = ()
    user_risk_levels: tuple[str, ...] = ()
    insider_risk_levels: tuple[str, ...] = ()
    service_principal_risk_levels: tuple[str, ...] = ()
    authentication_flows: tuple[str, ...] = ()
    workload_identities_only: bool = False
    """True when ``clientApplications`` names service principals: such a policy never concerns a user."""
    grant: Grant | None = None
    """``None``: session controls only, nothing is demanded at sign-in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedLocation:
    id: str
    display_name: str = ""
    trusted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthenticationStrength:
    id: str
    display_name: str = ""
    requirements_satisfied: str = "none"
    """``mfa`` when every allowed combination satisfies MFA, else ``none``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityDefaults:
    id: str
    enabled: bool
