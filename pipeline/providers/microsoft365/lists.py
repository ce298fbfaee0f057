"""Which of Graph's lists are read, how, and by which permission."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pipeline.domain.capture import Resource

TRACKED_USER_PROPERTIES = (
    "id,userPrincipalName,displayName,accountEnabled,userType,createdDateTime,onPremisesSyncEnabled,assignedLicenses"
)
"""Those whose changes Microsoft tells of."""

USER_PROPERTIES = f"{TRACKED_USER_PROPERTIES},licenseAssignmentStates"

GROUP_PROPERTIES = "id,displayName,securityEnabled,isAssignableToRole"
ROLE_PROPERTIES = "id,displayName,roleTemplateId"


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphList:
    """A list of Graph. ``permission`` is the least application permission that reads it; ``eventual`` lists need
    ``ConsistencyLevel: eventual``, which casts and advanced filters do."""

    resource: Resource
    path: str
    permission: str
    eventual: bool = False


USERS = GraphList(
    resource=Resource.USERS,
    path=f"/users?$select={USER_PROPERTIES}&$top=999",
    permission="User.Read.All",
)
"""https://learn.microsoft.com/graph/api/user-list"""

USERS_WITH_SIGN_INS = GraphList(
    resource=Resource.USERS,
    path=f"/users?$select={USER_PROPERTIES},signInActivity&$top=500",
    permission="AuditLog.Read.All",
)
"""A page holds 500 users at most when it carries ``signInActivity``."""

REGISTRATION_DETAILS = GraphList(
    resource=Resource.REGISTRATION_DETAILS,
    path="/reports/authenticationMethods/userRegistrationDetails?$select=id,isMfaRegistered,isMfaCapable&$top=999",
    permission="AuditLog.Read.All",
)
"""https://learn.microsoft.com/graph/api/authenticationmethodsroot-list-userregistrationdetails documents ``$filter``
only; the other two work and save requests of a bucket that holds five in ten seconds."""

GROUPS = GraphList(
    resource=Resource.GROUPS,
    path=f"/groups?$select={GROUP_PROPERTIES}&$top=999",
    permission="Group.Read.All",
)
"""https://learn.microsoft.com/graph/api/group-list"""

ROLES = GraphList(
    resource=Resource.DIRECTORY_ROLES,
    path=f"/directoryRoles?$select={ROLE_PROPERTIES}",
    permission="RoleManagement.Read.Directory",
)
"""https://learn.microsoft.com/graph/api/directoryrole-list"""

POLICIES = GraphList(
    resource=Resource.POLICIES,
    path="/identity/conditionalAccess/policies",
    permission="Policy.Read.All",
)
"""https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies"""

NAMED_LOCATIONS = GraphList(
    resource=Resource.NAMED_LOCATIONS,
    path="/identity/conditionalAccess/namedLocations",
    permission="Policy.Read.All",
)
"""https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations"""

AUTHENTICATION_STRENGTHS = GraphList(
    resource=Resource.AUTHENTICATION_STRENGTHS,
    path="/policies/authenticationStrengthPolicies",
    permission="Policy.Read.All",
)
"""https://learn.microsoft.com/graph/api/authenticationstrengthroot-list-policies"""

SKUS = GraphList(
    resource=Resource.SKUS,
    path="/subscribedSkus",
    permission="LicenseAssignment.Read.All",
)
"""https://learn.microsoft.com/graph/api/subscribedsku-list"""

SECURITY_DEFAULTS = GraphList(
    resource=Resource.SECURITY_DEFAULTS,
    path="/policies/identitySecurityDefaultsEnforcementPolicy",
    permission="Policy.Read.All",
)
"""A single object: https://learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get"""

ROLE_ASSIGNMENTS = GraphList(
    resource=Resource.ROLE_ASSIGNMENTS,
    path="/roleManagement/directory/roleAssignments?$expand=principal",
    permission="RoleManagement.Read.Directory",
)
"""https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments documents no ``$top``. An assignment
names its principal by id only; expanded, it says whether that is a user, a group or an application."""

ROLE_DEFINITIONS = GraphList(
    resource=Resource.ROLE_DEFINITIONS,
    path="/roleManagement/directory/roleDefinitions?$select=id,templateId,displayName,isBuiltIn",
    permission="RoleManagement.Read.Directory",
)
"""https://learn.microsoft.com/graph/api/rbacapplication-list-roledefinitions"""

ORGANIZATION = GraphList(
    resource=Resource.ORGANIZATION,
    path="/organization?$select=id,displayName,verifiedDomains,onPremisesSyncEnabled,onPremisesLastSyncDateTime,"
    "createdDateTime",
    permission="Organization.Read.All",
)
"""https://learn.microsoft.com/graph/api/organization-list"""

DIRECTORY_SUBSCRIPTIONS = GraphList(
    resource=Resource.DIRECTORY_SUBSCRIPTIONS,
    path="/directory/subscriptions",
    permission="Organization.Read.All",
)
"""https://learn.microsoft.com/graph/api/directory-list-subscriptions"""

APPLICATIONS = GraphList(
    resource=Resource.APPLICATIONS,
    path="/applications?$select=id,appId,displayName,passwordCredentials,keyCredentials&$top=999",
    permission="Application.Read.All",
)
"""https://learn.microsoft.com/graph/api/application-list, which allows 150 requests a minute that select
``keyCredentials``: enough for 149,850 applications."""

PLAIN = (
    REGISTRATION_DETAILS,
    POLICIES,
    NAMED_LOCATIONS,
    AUTHENTICATION_STRENGTHS,
    SKUS,
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    ORGANIZATION,
    DIRECTORY_SUBSCRIPTIONS,
    APPLICATIONS,
)
"""Lists that are read to their end and need nothing else."""


def group_members(group_id: str) -> GraphList:
    """https://learn.microsoft.com/graph/api/group-list-members"""
    return GraphList(
        resource=Resource.GROUP_MEMBERS,
        path=f"/groups/{quote(group_id, safe='')}/members?$select=id&$top=999",
        permission="GroupMember.Read.All",
    )


def role_members(role_id: str) -> GraphList:
    """Not paged: https://learn.microsoft.com/graph/api/directoryrole-list-members"""
    return GraphList(
        resource=Resource.ROLE_MEMBERS,
        path=f"/directoryRoles/{quote(role_id, safe='')}/members?$select=id",
        permission="RoleManagement.Read.Directory",
    )
