"""The lists of Graph that the simulator serves."""

from __future__ import annotations

from graphsim.protocol import schema
from graphsim.reading import directory_reads, reads
from graphsim.reading.collection import Collection, at
from graphsim.reading.relation_lists import RELATIONS
from graphsim.reading.security_lists import SECURITY

USERS = Collection(
    path=at("users"),
    resource="users",
    context="users",
    shape=schema.USER,
    entries=reads.users,
    advanced=True,
)
GROUPS = Collection(
    path=at("groups"),
    resource="groups",
    context="groups",
    shape=schema.GROUP,
    entries=reads.all_groups,
    advanced=True,
)
GROUP_MEMBERS = Collection(
    path=at("groups/{id}/members"),
    resource="groupMembers",
    context="directoryObjects",
    shape=schema.MEMBER,
    entries=reads.group_members,
    advanced=True,
    members=True,
)
TRANSITIVE_MEMBERS = Collection(
    path=at("groups/{id}/transitiveMembers"),
    resource="groupTransitiveMembers",
    context="directoryObjects",
    shape=schema.MEMBER,
    entries=reads.transitive_members,
    advanced=True,
    members=True,
)
DIRECTORY_ROLES = Collection(
    path=at("directoryRoles"),
    resource="directoryRoles",
    context="directoryRoles",
    shape=schema.ROLE,
    entries=reads.directory_roles,
    paged=False,
)
ROLE_MEMBERS = Collection(
    path=at("directoryRoles/{id}/members"),
    resource="directoryRoleMembers",
    context="directoryObjects",
    shape=schema.MEMBER,
    entries=reads.role_members,
    paged=False,
    members=True,
)
POLICIES = Collection(
    path=at("identity/conditionalAccess/policies"),
    resource="conditionalAccessPolicies",
    context="identity/conditionalAccess/policies",
    shape=schema.POLICY,
    entries=reads.policies,
)
NAMED_LOCATIONS = Collection(
    path=at("identity/conditionalAccess/namedLocations"),
    resource="namedLocations",
    context="identity/conditionalAccess/namedLocations",
    shape=schema.LOCATION,
    entries=reads.named_locations,
)
STRENGTHS = Collection(
    path=at("policies/authenticationStrengthPolicies"),
    resource="authenticationStrengthPolicies",
    context="policies/authenticationStrengthPolicies",
    shape=schema.STRENGTH,
    entries=reads.strengths,
)
SKUS = Collection(
    path=at("subscribedSkus"),
    resource="subscribedSkus",
    context="subscribedSkus",
    shape=schema.SKU,
    entries=reads.skus,
    paged=False,
)
REGISTRATIONS = Collection(
    path=at("reports/authenticationMethods/userRegistrationDetails"),
    resource="userRegistrationDetails",
    context="reports/authenticationMethods/userRegistrationDetails",
    shape=schema.REGISTRATION,
    entries=reads.registrations,
)
ORGANIZATION = Collection(
    path=at("organization"),
    resource="organization",
    context="organization",
    shape=schema.ORGANIZATION,
    entries=reads.organization,
    paged=False,
)
ROLE_ASSIGNMENTS = Collection(
    path=at("roleManagement/directory/roleAssignments"),
    resource="roleAssignments",
    context="roleManagement/directory/roleAssignments",
    shape=schema.ROLE_ASSIGNMENT,
    entries=directory_reads.role_assignments,
)
ROLE_DEFINITIONS = Collection(
    path=at("roleManagement/directory/roleDefinitions"),
    resource="roleDefinitions",
    context="roleManagement/directory/roleDefinitions",
    shape=schema.ROLE_DEFINITION,
    entries=directory_reads.role_definitions,
)
ROLE_ELIGIBILITIES = Collection(
    path=at("roleManagement/directory/roleEligibilityScheduleInstances"),
    resource="roleEligibilityScheduleInstances",
    context="roleManagement/directory/roleEligibilityScheduleInstances",
    shape=schema.ROLE_ELIGIBILITY,
    entries=directory_reads.role_eligibilities,
)
ROLE_TEMPLATES = Collection(
    path=at("directoryRoleTemplates"),
    resource="directoryRoleTemplates",
    context="directoryRoleTemplates",
    shape=schema.ROLE_TEMPLATE,
    entries=directory_reads.role_templates,
    paged=False,
)
SUBSCRIPTIONS = Collection(
    path=at("directory/subscriptions"),
    resource="directorySubscriptions",
    context="directory/subscriptions",
    shape=schema.SUBSCRIPTION,
    entries=directory_reads.company_subscriptions,
)
APPLICATIONS = Collection(
    path=at("applications"),
    resource="applications",
    context="applications",
    shape=schema.APPLICATION,
    entries=directory_reads.all_applications,
    advanced=True,
)
SERVICE_PRINCIPALS = Collection(
    path=at("servicePrincipals"),
    resource="servicePrincipals",
    context="servicePrincipals",
    shape=schema.SERVICE_PRINCIPAL,
    entries=directory_reads.service_principals,
    advanced=True,
)
DOMAINS = Collection(
    path=at("domains"),
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
    *RELATIONS,
    *SECURITY,
)
