"""Microsoft Graph's answers (v1.0), reduced to the properties the domain needs.

Properties that are unknown are skipped, those that are absent or null become ``None`` — except where Graph's null
says something of its own; there ``UNSET`` means absent. Flag enumerations arrive as one comma-separated string.
Property names are those of https://learn.microsoft.com/graph/api/overview, resource by resource.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

Strings = tuple[str, ...] | None
Flags = str | tuple[str, ...] | None
"""A flag enumeration: ``"a,b"``; lists are accepted too, some exports convert them."""

T = TypeVar("T")


class Payload(msgspec.Struct, rename="camel", gc=False):
    """Base of all payloads: camelCase on the wire; trees without cycles, so the collector need not track them."""


class ListPage(Payload, Generic[T]):
    """One page of a list; ``next_link`` is to be followed verbatim."""

    value: list[T]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Removal(Payload):
    reason: str | None = None


class Mention(Payload):
    """An object as a delta query names it: https://learn.microsoft.com/graph/delta-query-overview"""

    id: str
    removed: Removal | None = msgspec.field(default=None, name="@removed")


class SignInActivity(Payload):
    """https://learn.microsoft.com/graph/api/resources/signinactivity"""

    last_sign_in_date_time: datetime | None = None
    last_non_interactive_sign_in_date_time: datetime | None = None
    last_successful_sign_in_date_time: datetime | None = None


class AssignedLicense(Payload):
    sku_id: str


class LicenseAssignmentState(Payload):
    """https://learn.microsoft.com/graph/api/resources/licenseassignmentstate — one for each way a SKU is assigned."""

    sku_id: str
    state: str | None = None
    """``Active``, ``ActiveWithError``, ``Disabled`` or ``Error``."""
    error: str | None = None
    """Null or ``"None"`` where there is none."""


class User(Payload):
    """https://learn.microsoft.com/graph/api/resources/user"""

    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    created_date_time: datetime | None = None
    sign_in_activity: SignInActivity | None = None
    assigned_licenses: tuple[AssignedLicense, ...] | None = None
    license_assignment_states: tuple[LicenseAssignmentState, ...] | None = None
    on_premises_sync_enabled: bool | UnsetType | None = UNSET
    """Null says "never synchronized"."""


class LicenseHolder(Payload):
    """What of a user relates it to others."""

    id: str
    assigned_licenses: tuple[AssignedLicense, ...] | None = None


class RegistrationDetails(Payload):
    """https://learn.microsoft.com/graph/api/resources/userregistrationdetails — disabled users have none."""

    id: str
    is_mfa_registered: bool | None = None
    is_mfa_capable: bool | None = None


class Group(Payload):
    """https://learn.microsoft.com/graph/api/resources/group"""

    id: str
    display_name: str | None = None
    security_enabled: bool | None = None
    is_assignable_to_role: bool | None = None


class Member(Payload):
    """A directoryObject; its kind is known by ``@odata.type`` alone."""

    id: str
    odata_type: str | None = msgspec.field(default=None, name="@odata.type")


class DirectoryRole(Payload):
    """https://learn.microsoft.com/graph/api/resources/directoryrole"""

    id: str
    role_template_id: str | None = None
    display_name: str | None = None


class RoleDefinition(Payload):
    """https://learn.microsoft.com/graph/api/resources/unifiedroledefinition"""

    id: str
    template_id: str | None = None
    display_name: str | None = None
    is_built_in: bool | None = None


class RoleAssignment(Payload):
    """https://learn.microsoft.com/graph/api/resources/unifiedroleassignment"""

    id: str
    role_definition_id: str | None = None
    principal_id: str | None = None
    directory_scope_id: str | None = None
    """``/`` is the whole tenant, ``/administrativeUnits/{id}`` or ``/{id of an application}`` a part of it."""
    principal: Member | None = None
    """Comes with ``$expand`` only, and alone tells the kind of the principal."""


class ExternalTenants(Payload):
    membership_kind: str | None = None
    members: Strings = None


class GuestsOrExternalUsers(Payload):
    guest_or_external_user_types: Flags = None
    external_tenants: ExternalTenants | None = None


class UsersCondition(Payload):
    include_users: Strings = None
    exclude_users: Strings = None
    include_groups: Strings = None
    exclude_groups: Strings = None
    include_roles: Strings = None
    exclude_roles: Strings = None
    include_guests_or_external_users: GuestsOrExternalUsers | None = None
    exclude_guests_or_external_users: GuestsOrExternalUsers | None = None


class Filter(Payload):
    mode: str | None = None
    rule: str | None = None


class ApplicationsCondition(Payload):
    include_applications: Strings = None
    exclude_applications: Strings = None
    include_user_actions: Strings = None
    include_authentication_context_class_references: Strings = None
    application_filter: Filter | None = None


class PlatformsCondition(Payload):
    include_platforms: Strings = None
    exclude_platforms: Strings = None


class LocationsCondition(Payload):
    include_locations: Strings = None
    exclude_locations: Strings = None


class DevicesCondition(Payload):
    device_filter: Filter | None = None


class AuthenticationFlowsCondition(Payload):
    transfer_methods: Flags = None


class ClientApplicationsCondition(Payload):
    include_service_principals: Strings = None
    service_principal_filter: Filter | None = None


class Conditions(Payload):
    """https://learn.microsoft.com/graph/api/resources/conditionalaccessconditionset"""

    users: UsersCondition | None = None
    applications: ApplicationsCondition | None = None
    client_app_types: Strings = None
    platforms: PlatformsCondition | None = None
    locations: LocationsCondition | None = None
    devices: DevicesCondition | None = None
    sign_in_risk_levels: Strings = None
    user_risk_levels: Strings = None
    insider_risk_levels: Flags = None
    service_principal_risk_levels: Strings = None
    authentication_flows: AuthenticationFlowsCondition | None = None
    client_applications: ClientApplicationsCondition | None = None


class StrengthReference(Payload):
    id: str | None = None
    requirements_satisfied: Flags = None


class GrantControls(Payload):
    """https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols"""

    operator: str | None = None
    built_in_controls: Strings = None
    custom_authentication_factors: Strings = None
    terms_of_use: Strings = None
    authentication_strength: StrengthReference | None = None


class Policy(Payload):
    """https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy"""

    id: str
    display_name: str | None = None
    state: str | None = None
    created_date_time: datetime | None = None
    modified_date_time: datetime | None = None
    conditions: Conditions | None = None
    grant_controls: GrantControls | None = None


class NamedLocation(Payload):
    """https://learn.microsoft.com/graph/api/resources/ipnamedlocation; country locations have no ``isTrusted``."""

    id: str
    display_name: str | None = None
    is_trusted: bool | None = None


class AuthenticationStrength(Payload):
    """https://learn.microsoft.com/graph/api/resources/authenticationstrengthpolicy"""

    id: str
    display_name: str | None = None
    requirements_satisfied: Flags = None


class SecurityDefaults(Payload):
    """https://learn.microsoft.com/graph/api/resources/identitysecuritydefaultsenforcementpolicy"""

    id: str
    is_enabled: bool


class Units(Payload):
    enabled: int | None = None
    warning: int | None = None
    suspended: int | None = None


class ServicePlan(Payload):
    service_plan_id: str


class SubscribedSku(Payload):
    """https://learn.microsoft.com/graph/api/resources/subscribedsku"""

    sku_id: str
    sku_part_number: str | None = None
    applies_to: str | None = None
    capability_status: str | None = None
    consumed_units: int | None = None
    prepaid_units: Units | None = None
    service_plans: tuple[ServicePlan, ...] | None = None
