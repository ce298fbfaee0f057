"""Which properties can be filtered, sorted and searched by, and which of that only with the advanced query parameters.

https://learn.microsoft.com/graph/aad-advanced-queries for directory objects, the reference pages of the types for the
others. A property that is not here can't be filtered by. ``in`` goes with ``eq``; ``ne`` and ``not`` go with ``eq`` and
are advanced on directory objects, ``null`` tells whether ``eq null`` is possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_EVERY = frozenset({"eq", "ne", "not", "gt", "ge", "lt", "le", "startswith", "endswith", "contains", "count", "null"})
ADVANCED_OPERATORS = frozenset({"ne", "not", "endswith", "count"})


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryRule:
    """What queries about a type may say. Operators by property: ``plain`` work as they are, ``advanced`` don't."""

    plain: Mapping[str, frozenset[str]]
    advanced: Mapping[str, frozenset[str]] = field(default_factory=dict)
    directory: bool = False
    """Directory objects have advanced queries; elsewhere every operator is plain."""
    sorted_by: frozenset[str] = frozenset()
    sorted_advanced: frozenset[str] = frozenset()
    searched_by: frozenset[str] = frozenset()


def _directory(table: str, *, sorted_by: str = "", sorted_advanced: str = "", searched_by: str = "") -> QueryRule:
    """From lines ``properties: plain operators | advanced operators``."""
    plain: dict[str, frozenset[str]] = {}
    advanced: dict[str, frozenset[str]] = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        names, operators = line.split(":")
        before, after = operators.split("|")
        for name in names.split():
            plain[name], advanced[name] = frozenset(before.split()), frozenset(after.split())
    return QueryRule(
        plain=plain,
        advanced=advanced,
        directory=True,
        sorted_by=frozenset(sorted_by.split()),
        sorted_advanced=frozenset(sorted_advanced.split()),
        searched_by=frozenset(searched_by.split()),
    )


def _elsewhere(names: str) -> QueryRule:
    return QueryRule(plain=dict.fromkeys(names.split(), _EVERY), sorted_by=frozenset(names.split()))


_USER = """
    accountEnabled: eq | ge le
    ageGroup consentProvidedForMinor creationType isResourceAccount externalUserState: eq | null
    assignedLicenses businessPhones: eq |
    city country department givenName state surname mailNickname: eq ge le startswith | null
    jobTitle: eq ge le | startswith null
    usageLocation mail: eq ge le startswith | endswith null
    userPrincipalName: eq le startswith | endswith
    onPremisesUserPrincipalName: eq ge le startswith | null
    createdDateTime deletedDateTime signInActivity: eq ge le | gt lt
    displayName: eq startswith | null ge le
    employeeId: eq startswith | le null
    id: eq |
    onPremisesSyncEnabled: eq null | ge le
    onPremisesSecurityIdentifier: eq | null
    userType: eq | null
    companyName employeeType mobilePhone officeLocation postalCode preferredLanguage: | eq ge le startswith null
    streetAddress onPremisesSamAccountName: | eq ge le startswith null
    employeeHireDate onPremisesImmutableId onPremisesLastSyncDateTime showInAddressList: | eq ge le null
    passwordPolicies: | eq null
"""
_GROUP = """
    assignedLicenses groupTypes resourceProvisioningOptions: eq |
    classification mailNickname preferredLanguage onPremisesSamAccountName: eq ge le startswith | null
    description: | eq ge le startswith null
    displayName mail membershipRule: eq ge le startswith | endswith null
    expirationDateTime renewedDateTime onPremisesLastSyncDateTime: eq ge le | gt lt null
    id isAssignableToRole mailEnabled securityEnabled membershipRuleProcessingState: eq | null
    onPremisesSecurityIdentifier onPremisesSyncEnabled: eq null |
    proxyAddresses: eq ge le startswith | endswith
    uniqueName: eq startswith |
"""
_APPLICATION = """
    appId id signInAudience: eq |
    createdDateTime: eq ge le | gt lt
    deletedDateTime: eq ge le | gt lt
    displayName: eq ge le startswith | null
    identifierUris publisherDomain tags: eq ge le startswith |
"""
_SERVICE_PRINCIPAL = """
    accountEnabled appRoleAssignmentRequired id: eq |
    appId displayName servicePrincipalNames servicePrincipalType tags: eq ge le startswith | null
    appOwnerOrganizationId: eq ge le |
"""
_MEMBER = """
    displayName mail userPrincipalName: | eq ge le startswith endswith null
    id accountEnabled userType securityEnabled mailEnabled: | eq
"""
RULES: Mapping[str, QueryRule] = {
    "user": _directory(
        _USER,
        sorted_by="displayName userPrincipalName",
        sorted_advanced="createdDateTime deletedDateTime",
        searched_by="displayName givenName surname mail mailNickname userPrincipalName",
    ),
    "group": _directory(
        _GROUP,
        sorted_by="displayName",
        sorted_advanced="deletedDateTime",
        searched_by="displayName description mail mailNickname",
    ),
    "application": _directory(
        _APPLICATION, sorted_advanced="createdDateTime deletedDateTime displayName", searched_by="displayName"
    ),
    "servicePrincipal": _directory(
        _SERVICE_PRINCIPAL, sorted_advanced="createdDateTime deletedDateTime displayName", searched_by="displayName"
    ),
    "directoryObject": _directory(_MEMBER, sorted_advanced="displayName", searched_by="displayName"),
    "oAuth2PermissionGrant": _directory("clientId consentType principalId resourceId: eq |\nscope: eq startswith |"),
    "directoryRole": _directory("displayName roleTemplateId id: eq |"),
    "conditionalAccessPolicy": _elsewhere("id displayName state createdDateTime modifiedDateTime templateId"),
    "namedLocation": _elsewhere("id displayName createdDateTime modifiedDateTime isTrusted"),
    "authenticationStrengthPolicy": _elsewhere("id displayName policyType requirementsSatisfied"),
    "unifiedRoleDefinition": _elsewhere("id displayName isBuiltIn isEnabled templateId"),
    "unifiedRoleAssignment": _elsewhere("id principalId roleDefinitionId directoryScopeId"),
    "unifiedRoleEligibilityScheduleInstance": _elsewhere("id principalId roleDefinitionId directoryScopeId memberType"),
    "unifiedRoleAssignmentScheduleInstance": _elsewhere(
        "id principalId roleDefinitionId directoryScopeId memberType assignmentType"
    ),
    "userRegistrationDetails": _elsewhere(
        """id isAdmin isMfaCapable isMfaRegistered isPasswordlessCapable isSsprCapable isSsprEnabled isSsprRegistered
        methodsRegistered userDisplayName userPrincipalName userType"""
    ),
    "signIn": _elsewhere(
        """id appDisplayName appId clientAppUsed conditionalAccessStatus correlationId createdDateTime ipAddress
        isInteractive status userDisplayName userId userPrincipalName"""
    ),
    "riskyUser": _elsewhere("id isDeleted isProcessing riskLevel riskState userDisplayName userPrincipalName"),
    "secureScore": _elsewhere("createdDateTime"),
}
"""By the type's name without its namespace."""
