"""What a tenant is made of, independent of the provider it was read from.

Every value is frozen. Enumerated fields keep Microsoft's spelling (``enabledForReportingButNotEnforced``)
so that a reader can look them up in Microsoft's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    NamedLocation,
    SecurityDefaults,
)
from pipeline.domain.psa import Company, Contract, Site


class EntityType(StrEnum):
    """The kinds of entity a tenant holds, as stored and as named in events."""

    IDENTITIES = "identities"
    GROUPS = "groups"
    ROLES = "roles"
    POLICIES = "policies"
    LICENSES = "licenses"
    NAMED_LOCATIONS = "named_locations"
    AUTHENTICATION_STRENGTHS = "authentication_strengths"
    SECURITY_DEFAULTS = "security_defaults"
    APPLICATIONS = "applications"
    SUBSCRIPTIONS = "subscriptions"
    """Commercial ones, of which a tenant may have several for one SKU."""
    ORGANIZATION = "organization"
    COMPANIES = "companies"
    SITES = "sites"
    CONTRACTS = "contracts"
    TENANTS = "tenants"
    """The tenant itself, as what an alert is about; no stored entity stands behind it."""


class RelationshipType(StrEnum):
    """Edges, always read "parent … child": the child is a member of, holds or is subject to the parent."""

    MEMBER_OF = "member_of"
    """parent: group, child: identity or group."""
    ASSIGNED_ROLE = "assigned_role"
    """parent: role, child: identity or group."""
    HAS_LICENSE = "has_license"
    """parent: license (SKU), child: identity."""
    POLICY_APPLIES_TO = "policy_applies_to"
    """parent: policy, child: identity, group or role that the policy names as included."""
    SITE_OF = "site_of"
    """parent: company, child: site."""
    CONTRACT_OF = "contract_of"
    """parent: site, or company where the contract names no site; child: contract."""


class CredentialKind(StrEnum):
    """What an application proves itself with."""

    PASSWORD = "password"  # noqa: S105 - a kind of credential, not one
    CERTIFICATE = "certificate"


class PerUserMfa(StrEnum):
    """State of per-user MFA, https://learn.microsoft.com/graph/api/resources/strongauthenticationrequirements."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    ENFORCED = "enforced"


@dataclass(frozen=True, kw_only=True, slots=True)
class LicenseError:
    """A licence that could not be assigned, or not wholly: which SKU, and Microsoft's code for why.

    https://learn.microsoft.com/graph/api/resources/licenseassignmentstate
    """

    sku_id: str
    code: str = "Other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A user account. ``None`` means the fact was not read, never "no"."""

    id: str
    user_principal_name: str
    display_name: str = ""
    enabled: bool | None = None
    user_type: str | None = None
    """``Member`` or ``Guest``."""
    created_at: datetime | None = None
    last_sign_in_attempt_at: datetime | None = None
    """Last interactive attempt, successful or not (``lastSignInDateTime``)."""
    last_non_interactive_attempt_at: datetime | None = None
    last_successful_sign_in_at: datetime | None = None
    sku_ids: tuple[str, ...] = ()
    license_errors: tuple[LicenseError, ...] | None = None
    """Sorted and without repetition."""
    on_premises_synced: bool | None = None
    mfa_registered: bool | None = None
    mfa_capable: bool | None = None
    per_user_mfa: PerUserMfa | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    id: str
    display_name: str = ""
    security_enabled: bool | None = None
    role_assignable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A directory role. ``id`` is the *template* id, the same in every tenant but for roles a tenant made itself."""

    id: str
    display_name: str = ""
    built_in: bool = True
    """``False`` for a role the tenant made itself: such a role is never among its directory roles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class License:
    """A subscribed SKU. ``id`` is the SKU id; units are seats."""

    id: str
    part_number: str = ""
    applies_to: str = "User"
    capability_status: str = "Enabled"
    consumed_units: int = 0
    enabled_units: int = 0
    warning_units: int = 0
    suspended_units: int = 0
    service_plan_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AppCredential:
    """A client secret or certificate of an application; never the secret itself."""

    kind: CredentialKind
    key_id: str
    display_name: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """An application registered in the tenant. ``app_id`` is the client id, ``id`` the directory's own."""

    id: str
    app_id: str = ""
    display_name: str = ""
    credentials: tuple[AppCredential, ...] = ()
    """Passwords and certificates, in the order of their key ids."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A commercial subscription to a SKU."""

    id: str
    sku_id: str = ""
    part_number: str = ""
    status: str = "Enabled"
    """``Enabled``, ``Warning``, ``Suspended``, ``LockedOut`` or ``Deleted``."""
    total_licenses: int = 0
    next_lifecycle_at: datetime | None = None
    """When it renews or passes on to the next status; ``None`` for one without an end."""
    trial: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """The tenant as its directory describes it."""

    id: str
    display_name: str = ""
    verified_domains: tuple[str, ...] = ()
    """Sorted."""
    on_premises_sync_enabled: bool | None = None
    """``False`` where the directory was never synchronized."""
    on_premises_last_sync_at: datetime | None = None
    created_at: datetime | None = None


Entity = (
    Identity
    | Group
    | Role
    | License
    | ConditionalAccessPolicy
    | NamedLocation
    | AuthenticationStrength
    | SecurityDefaults
    | Application
    | Subscription
    | Organization
    | Company
    | Site
    | Contract
)

ENTITY_CLASSES: dict[EntityType, type[Entity]] = {
    EntityType.IDENTITIES: Identity,
    EntityType.GROUPS: Group,
    EntityType.ROLES: Role,
    EntityType.POLICIES: ConditionalAccessPolicy,
    EntityType.LICENSES: License,
    EntityType.NAMED_LOCATIONS: NamedLocation,
    EntityType.AUTHENTICATION_STRENGTHS: AuthenticationStrength,
    EntityType.SECURITY_DEFAULTS: SecurityDefaults,
    EntityType.APPLICATIONS: Application,
    EntityType.SUBSCRIPTIONS: Subscription,
    EntityType.ORGANIZATION: Organization,
    EntityType.COMPANIES: Company,
    EntityType.SITES: Site,
    EntityType.CONTRACTS: Contract,
}
"""Which value a stored entity becomes, by its discriminator."""
