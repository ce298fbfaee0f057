"""The types of sign-ins, risk, consents and settings; see ``schema``."""

from __future__ import annotations

from graphsim.protocol.schema import EntityShape


def _shape(name: str, known: str, *, unmodeled: str = "", navigation: str = "") -> EntityShape:
    return EntityShape(
        type_name=f"microsoft.graph.{name}",
        known=frozenset(known.split()),
        unmodeled=frozenset(unmodeled.split()),
        navigation=frozenset(navigation.split()),
    )


SIGN_IN = _shape(
    "signIn",
    """id appDisplayName appId appliedConditionalAccessPolicies clientAppUsed conditionalAccessStatus correlationId
    createdDateTime deviceDetail ipAddress isInteractive location resourceDisplayName resourceId riskDetail
    riskEventTypes riskEventTypes_v2 riskLevelAggregated riskLevelDuringSignIn riskState status userDisplayName userId
    userPrincipalName""",
    unmodeled="""authenticationAppDeviceDetails homeTenantId resourceTenantId servicePrincipalId servicePrincipalName
    userAgent""",
)
RISKY_USER = _shape(
    "riskyUser",
    """id isDeleted isProcessing riskDetail riskLastUpdatedDateTime riskLevel riskState userDisplayName
    userPrincipalName""",
)
SECURE_SCORE = _shape(
    "secureScore",
    """id activeUserCount averageComparativeScores azureTenantId controlScores createdDateTime currentScore
    enabledServices licensedUserCount maxScore vendorInformation""",
)
SCHEDULE_INSTANCE = _shape(
    "unifiedRoleAssignmentScheduleInstance",
    """id appScopeId assignmentType directoryScopeId endDateTime memberType principalId roleAssignmentOriginId
    roleAssignmentScheduleId roleDefinitionId startDateTime""",
    navigation="principal roleDefinition",
)
PERMISSION_GRANT = _shape("oAuth2PermissionGrant", "id clientId consentType principalId resourceId scope")
APP_ROLE_ASSIGNMENT = _shape(
    "appRoleAssignment",
    """id appRoleId createdDateTime deletedDateTime principalDisplayName principalId principalType resourceDisplayName
    resourceId""",
)
LICENSE_DETAILS = _shape("licenseDetails", "id servicePlans skuId skuPartNumber")
AUTHENTICATION_METHOD = _shape("authenticationMethod", "id createdDateTime")
"""Each kind of method adds properties of its own."""
AUTHENTICATION_METHODS_POLICY = _shape(
    "authenticationMethodsPolicy",
    """id authenticationMethodConfigurations description displayName lastModifiedDateTime policyMigrationState
    policyVersion reconfirmationInDays registrationEnforcement""",
)
METHOD_CONFIGURATION = _shape("authenticationMethodConfiguration", "id excludeTargets state")
GROUP_SETTING = _shape("groupSetting", "id displayName templateId values")
CROSS_TENANT_DEFAULT = _shape(
    "crossTenantAccessPolicyConfigurationDefault",
    """id automaticUserConsentSettings b2bCollaborationInbound b2bCollaborationOutbound b2bDirectConnectInbound
    b2bDirectConnectOutbound inboundTrust invitationRedemptionIdentityProviderConfiguration isServiceDefault
    tenantRestrictions""",
    unmodeled="appServiceConnectInbound m365CollaborationInbound m365CollaborationOutbound",
)
