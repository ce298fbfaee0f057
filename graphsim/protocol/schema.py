"""Which properties each type has and which of them come without being asked for.

From the v1.0 metadata (https://graph.microsoft.com/v1.0/$metadata) and the reference pages of the types.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityShape:
    """``default`` empty: everything known comes by default. ``empty`` properties are always null here.

    ``elsewhere`` are real properties that collections refuse with 501, as they live in another service;
    ``unmodeled`` are real ones the simulator has nothing to say about.
    """

    type_name: str
    known: frozenset[str]
    default: tuple[str, ...] = ()
    empty: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    unmodeled: frozenset[str] = frozenset()
    navigation: frozenset[str] = frozenset()
    """Related objects that come with ``$expand`` only."""

    @property
    def name(self) -> str:
        """The type without its namespace."""
        return self.type_name.removeprefix("microsoft.graph.")

    @property
    def related_options(self) -> frozenset[str]:
        return frozenset({"$expand"}) if self.navigation else frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_USER_DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
USER = EntityShape(
    type_name="microsoft.graph.user",
    default=_USER_DEFAULT,
    known=frozenset(_USER_DEFAULT)
    | _names(
        """accountEnabled assignedLicenses city companyName country createdDateTime creationType department
        externalUserState licenseAssignmentStates mailNickname onPremisesSyncEnabled signInActivity usageLocation
        userType"""
    ),
    empty=_names(
        """ageGroup consentProvidedForMinor deletedDateTime employeeHireDate employeeId employeeLeaveDateTime
        employeeOrgData employeeType externalUserStateChangeDateTime faxNumber isResourceAccount
        legalAgeGroupClassification onPremisesDistinguishedName onPremisesDomainName onPremisesImmutableId
        onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesUserPrincipalName
        passwordPolicies postalCode preferredDataLocation showInAddressList state streetAddress"""
    ),
    elsewhere=_names(
        """aboutMe birthday hireDate interests mailboxSettings mySite pastProjects preferredName responsibilities
        schools skills"""
    ),
    unmodeled=_names(
        """assignedPlans authorizationInfo customSecurityAttributes deviceEnrollmentLimit identities identityParentId
        imAddresses isManagementRestricted lastPasswordChangeDateTime onPremisesExtensionAttributes
        onPremisesProvisioningErrors otherMails passwordProfile print provisionedPlans proxyAddresses
        securityIdentifier serviceProvisioningErrors signInSessionsValidFromDateTime"""
    ),
    navigation=_names("manager memberOf transitiveMemberOf"),
)
_GROUP_DEFAULT = tuple(
    sorted(
        _names(
            """id classification createdDateTime deletedDateTime description displayName expirationDateTime groupTypes
            isAssignableToRole mail mailEnabled mailNickname membershipRule membershipRuleProcessingState
            onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName onPremisesProvisioningErrors
            onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation
            preferredLanguage proxyAddresses renewedDateTime resourceBehaviorOptions resourceProvisioningOptions
            securityEnabled securityIdentifier theme uniqueName visibility"""
        )
    )
)
GROUP = EntityShape(
    type_name="microsoft.graph.group",
    default=_GROUP_DEFAULT,
    known=frozenset(_GROUP_DEFAULT) | {"assignedLicenses"},
    unmodeled=_names(
        """allowExternalSenders assignedLabels autoSubscribeNewMembers hasMembersWithLicenseErrors hideFromAddressLists
        hideFromOutlookClients isArchived isManagementRestricted isSubscribedByMail licenseProcessingState
        serviceProvisioningErrors unseenCount"""
    ),
    navigation=_names("memberOf members owners transitiveMembers"),
)
MEMBER = EntityShape(
    type_name="microsoft.graph.directoryObject",
    known=USER.known | GROUP.known | {"roleTemplateId"},
    empty=USER.empty - GROUP.known,
    elsewhere=USER.elsewhere,
    unmodeled=USER.unmodeled | GROUP.unmodeled,
)
"""Members are users and groups; each gives those of the asked-for properties that it has."""
ROLE = EntityShape(
    type_name="microsoft.graph.directoryRole",
    known=_names("id deletedDateTime description displayName roleTemplateId"),
    navigation=_names("members"),
)
POLICY = EntityShape(
    type_name="microsoft.graph.conditionalAccessPolicy",
    known=_names(
        """id templateId deletedDateTime displayName createdDateTime modifiedDateTime state conditions grantControls
        sessionControls"""
    ),
    empty=frozenset({"description"}),
)
LOCATION = EntityShape(
    type_name="microsoft.graph.namedLocation",
    known=_names("id deletedDateTime displayName createdDateTime modifiedDateTime"),
)
STRENGTH = EntityShape(
    type_name="microsoft.graph.authenticationStrengthPolicy",
    known=_names(
        """id createdDateTime modifiedDateTime displayName description policyType requirementsSatisfied
        allowedCombinations combinationConfigurations"""
    ),
)
SECURITY_DEFAULTS = EntityShape(
    type_name="microsoft.graph.identitySecurityDefaultsEnforcementPolicy",
    known=_names("id deletedDateTime displayName description isEnabled"),
)
SKU = EntityShape(
    type_name="microsoft.graph.subscribedSku",
    known=_names(
        """id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits servicePlans skuId
        skuPartNumber subscriptionIds"""
    ),
)
REGISTRATION = EntityShape(
    type_name="microsoft.graph.userRegistrationDetails",
    known=_names(
        """id isAdmin isMfaCapable isMfaRegistered isPasswordlessCapable isSsprCapable isSsprEnabled isSsprRegistered
        isSystemPreferredAuthenticationMethodEnabled lastUpdatedDateTime methodsRegistered
        systemPreferredAuthenticationMethods userDisplayName userPreferredMethodForSecondaryAuthentication
        userPrincipalName userType"""
    ),
)
ORGANIZATION = EntityShape(
    type_name="microsoft.graph.organization",
    known=_names(
        """id deletedDateTime assignedPlans businessPhones city country countryLetterCode createdDateTime
        defaultUsageLocation displayName marketingNotificationEmails onPremisesLastSyncDateTime onPremisesSyncEnabled
        partnerTenantType postalCode preferredLanguage privacyProfile provisionedPlans
        securityComplianceNotificationMails securityComplianceNotificationPhones state street
        technicalNotificationMails tenantType verifiedDomains"""
    ),
)
ROLE_DEFINITION = EntityShape(
    type_name="microsoft.graph.unifiedRoleDefinition",
    known=_names(
        """id description displayName isBuiltIn isEnabled resourceScopes rolePermissions templateId version"""
    ),
)
ROLE_ASSIGNMENT = EntityShape(
    type_name="microsoft.graph.unifiedRoleAssignment",
    known=_names("id appScopeId condition directoryScopeId principalId roleDefinitionId"),
    navigation=_names("principal roleDefinition"),
)
ROLE_ELIGIBILITY = EntityShape(
    type_name="microsoft.graph.unifiedRoleEligibilityScheduleInstance",
    known=_names(
        """id appScopeId directoryScopeId endDateTime memberType principalId roleDefinitionId roleEligibilityScheduleId
        startDateTime"""
    ),
    navigation=_names("principal roleDefinition"),
)
ROLE_TEMPLATE = EntityShape(
    type_name="microsoft.graph.directoryRoleTemplate", known=_names("id deletedDateTime description displayName")
)
SUBSCRIPTION = EntityShape(
    type_name="microsoft.graph.companySubscription",
    known=_names(
        """id commerceSubscriptionId createdDateTime isTrial nextLifecycleDateTime ownerId ownerTenantId ownerType
        serviceStatus skuId skuPartNumber status totalLicenses"""
    ),
)
_APPLICATION_KNOWN = _names(
    """id addIns api appId appRoles createdDateTime displayName identifierUris info isFallbackPublicClient
    keyCredentials parentalControlSettings passwordCredentials publicClient publisherDomain requiredResourceAccess
    signInAudience spa tags verifiedPublisher web"""
)
_APPLICATION_EMPTY = _names(
    """applicationTemplateId certification defaultRedirectUri deletedDateTime description disabledByMicrosoftStatus
    groupMembershipClaims isDeviceOnlyAuthSupported nativeAuthenticationApisEnabled notes optionalClaims
    requestSignatureVerification samlMetadataUrl serviceManagementReference servicePrincipalLockConfiguration
    tokenEncryptionKeyId uniqueName"""
)
APPLICATION = EntityShape(
    type_name="microsoft.graph.application",
    default=tuple(sorted(_APPLICATION_KNOWN | _APPLICATION_EMPTY)),
    known=_APPLICATION_KNOWN,
    empty=_APPLICATION_EMPTY,
    unmodeled=_names("authenticationBehaviors logo oauth2RequirePostResponse"),
    navigation=_names("owners"),
)
_PRINCIPAL_KNOWN = _names(
    """id accountEnabled addIns alternativeNames appDisplayName appId appOwnerOrganizationId appRoleAssignmentRequired
    appRoles displayName info keyCredentials notificationEmailAddresses oauth2PermissionScopes passwordCredentials
    replyUrls resourceSpecificApplicationPermissions servicePrincipalNames servicePrincipalType signInAudience tags
    verifiedPublisher"""
)
_PRINCIPAL_EMPTY = _names(
    """appDescription applicationTemplateId deletedDateTime description disabledByMicrosoftStatus homepage loginUrl
    logoutUrl notes preferredSingleSignOnMode preferredTokenSigningKeyThumbprint samlSingleSignOnSettings
    tokenEncryptionKeyId"""
)
SERVICE_PRINCIPAL = EntityShape(
    type_name="microsoft.graph.servicePrincipal",
    default=tuple(sorted(_PRINCIPAL_KNOWN | _PRINCIPAL_EMPTY)),
    known=_PRINCIPAL_KNOWN,
    empty=_PRINCIPAL_EMPTY,
    unmodeled=_names("customSecurityAttributes"),
    navigation=_names("owners"),
)
DOMAIN = EntityShape(
    type_name="microsoft.graph.domain",
    known=_names(
        """id authenticationType availabilityStatus isAdminManaged isDefault isInitial isRoot isVerified manufacturer
        model passwordNotificationWindowInDays passwordValidityPeriodInDays state supportedServices"""
    ),
)
AUTHORIZATION_POLICY = EntityShape(
    type_name="microsoft.graph.authorizationPolicy",
    known=_names(
        """id allowEmailVerifiedUsersToJoinOrganization allowInvitesFrom allowUserConsentForRiskyApps
        allowedToSignUpEmailBasedSubscriptions allowedToUseSSPR blockMsolPowerShell defaultUserRolePermissions
        deletedDateTime description displayName guestUserRoleId"""
    ),
)
ADMIN_CONSENT_REQUEST_POLICY = EntityShape(
    type_name="microsoft.graph.adminConsentRequestPolicy",
    known=_names("isEnabled notifyReviewers remindersEnabled requestDurationInDays reviewers version"),
)
