"""The lists of Graph that the simulator serves: path, type, limits, and where the objects come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphsim import directory_reads, reads, schema
from graphsim.reads import Entries, Place
from graphsim.schema import EntityShape
from graphsim.state import TenantState

KEY = "{id}"
"""The path segment that stands for an object's id."""
PAGED = frozenset({"$select", "$top", "$skiptoken", "$count"})
WHOLE = frozenset({"$select"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """One list. ``resource`` is the name a capture files its pages under; ``context`` follows ``$metadata#``.

    ``paged`` lists take ``$top`` up to ``limit``. ``advanced`` ones count only with ``ConsistencyLevel: eventual``.
    """

    path: tuple[str, ...]
    resource: str
    context: str
    shape: EntityShape
    entries: Callable[[TenantState, Place], Entries]
    paged: bool = True
    limit: int = 999
    advanced: bool = False
    members: bool = False
    """Holds objects of several types, so each says which it is and a type cast is possible."""

    @property
    def options(self) -> frozenset[str]:
        plain = PAGED if self.paged else WHOLE
        return plain | {"$expand"} if self.shape.navigation else plain


def _at(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


USERS = Collection(
    path=_at("users"),
    resource="users",
    context="users",
    shape=schema.USER,
    entries=reads.users,
    advanced=True,
)
GROUPS = Collection(
    path=_at("groups"),
    resource="groups",
    context="groups",
    shape=schema.GROUP,
    entries=reads.all_groups,
    advanced=True,
)
GROUP_MEMBERS = Collection(
    path=_at("groups/{id}/members"),
    resource="groupMembers",
    context="directoryObjects",
    shape=schema.MEMBER,
    entries=reads.group_members,
    advanced=True,
    members=True,
)
TRANSITIVE_MEMBERS = Collection(
    path=_at("groups/{id}/transitiveMembers"),
    resource="groupTransitiveMembers",
    context="directoryObjects",
    shape=schema.MEMBER,
    entries=reads.transitive_members,
    advanced=True,
    members=True,
)
DIRECTORY_ROLES = Collection(
    path=_at("directoryRoles"),
    resource="directoryRoles",
    context="directoryRoles",
    shape=schema.ROLE,
    entries=reads.directory_roles,
    paged=False,
)
ROLE_MEMBERS = Collection(
    path=_at("directoryRoles/{id}/members"),
    resource="directoryRoleMembers",
    context="directoryObjects",
    shape=schema.MEMBER,
    entries=reads.role_members,
    paged=False,
    members=True,
)
POLICIES = Collection(
    path=_at("identity/conditionalAccess/policies"),
    resource="conditionalAccessPolicies",
    context="identity/conditionalAccess/policies",
    shape=schema.POLICY,
    entries=reads.policies,
)
NAMED_LOCATIONS = Collection(
    path=_at("identity/conditionalAccess/namedLocations"),
    resource="namedLocations",
    context="identity/conditionalAccess/namedLocations",
    shape=schema.LOCATION,
    entries=reads.named_locations,
)
STRENGTHS = Collection(
    path=_at("policies/authenticationStrengthPolicies"),
    resource="authenticationStrengthPolicies",
    context="policies/authenticationStrengthPolicies",
    shape=schema.STRENGTH,
    entries=reads.strengths,
)
SKUS = Collection(
    path=_at("subscribedSkus"),
    resource="subscribedSkus",
    context="subscribedSkus",
    shape=schema.SKU,
    entries=reads.skus,
    paged=False,
)
REGISTRATIONS = Collection(
    path=_at("reports/authenticationMethods/userRegistrationDetails"),
    resource="userRegistrationDetails",
    context="reports/authenticationMethods/userRegistrationDetails",
    shape=schema.REGISTRATION,
    entries=reads.registrations,
)
ORGANIZATION = Collection(
    path=_at("organization"),
    resource="organization",
    context="organization",
    shape=schema.ORGANIZATION,
    entries=reads.organization,
    paged=False,
)
ROLE_ASSIGNMENTS = Collection(
    path=_at("roleManagement/directory/roleAssignments"),
    resource="roleAssignments",
    context="roleManagement/directory/roleAssignments",
    shape=schema.ROLE_ASSIGNMENT,
    entries=directory_reads.role_assignments,
)
ROLE_DEFINITIONS = Collection(
    path=_at("roleManagement/directory/roleDefinitions"),
    resource="roleDefinitions",
    context="roleManagement/directory/roleDefinitions",
    shape=schema.ROLE_DEFINITION,
    entries=directory_reads.role_definitions,
)
ROLE_ELIGIBILITIES = Collection(
    path=_at("roleManagement/directory/roleEligibilityScheduleInstances"),
    resource="roleEligibilityScheduleInstances",
    context="roleManagement/directory/roleEligibilityScheduleInstances",
    shape=schema.ROLE_ELIGIBILITY,
    entries=directory_reads.role_eligibilities,
)
ROLE_TEMPLATES = Collection(
    path=_at("directoryRoleTemplates"),
    resource="directoryRoleTemplates",
    context="directoryRoleTemplates",
    shape=schema.ROLE_TEMPLATE,
    entries=directory_reads.role_templates,
    paged=False,
)
SUBSCRIPTIONS = Collection(
    path=_at("directory/subscriptions"),
    resource="directorySubscriptions",
    context="directory/subscriptions",
    shape=schema.SUBSCRIPTION,
    entries=directory_reads.company_subscriptions,
)
APPLICATIONS = Collection(
    path=_at("applications"),
    resource="applications",
    context="applications",
    shape=schema.APPLICATION,
    entries=directory_reads.all_applications,
    advanced=True,
)
SERVICE_PRINCIPALS = Collection(
    path=_at("servicePrincipals"),
    resource="servicePrincipals",
    context="servicePrincipals",
    shape=schema.SERVICE_PRINCIPAL,
    entries=directory_reads.service_principals,
    advanced=True,
)
DOMAINS = Collection(
    path=_at("domains"),
    resource="domains",
    context="domains",
    shape=schema.DOMAIN,
    entries=directory_reads.all_domains,
    paged=False,
)

COLLECTIONS = (
    USERS,
    GROUPS,
    GROUP_MEMBERS,
    TRANSITIVE_MEMBERS,
    DIRECTORY_ROLES,
    ROLE_MEMBERS,
    POLICIES,
    NAMED_LOCATIONS,
    STRENGTHS,
    SKUS,
    REGISTRATIONS,
    ORGANIZATION,
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    ROLE_ELIGIBILITIES,
    ROLE_TEMPLATES,
    SUBSCRIPTIONS,
    APPLICATIONS,
    SERVICE_PRINCIPALS,
    DOMAINS,
)
