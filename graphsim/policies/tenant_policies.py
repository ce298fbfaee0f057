"""What users and guests may do, and whom they ask for consent: one object each.

https://learn.microsoft.com/graph/api/resources/authorizationpolicy and ``adminconsentrequestpolicy``
"""

from __future__ import annotations

from graphsim.directory.roles import GLOBAL_ADMINISTRATOR
from graphsim.directory.tenants import Json, Tenant

_GUEST = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
_RESTRICTED_GUEST = "2af84b1e-32c8-42b7-82bc-daa82404023b"
_ANY_CONSENT = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"


def authorization_policy(tenant: Tenant) -> Json:
    """Tidy tenants leave registering, inviting and consenting to administrators; the others have the old defaults."""
    open_to_all = not tenant.posture.tidy
    return {
        "id": "authorizationPolicy",
        "allowEmailVerifiedUsersToJoinOrganization": False,
        "allowInvitesFrom": "everyone" if open_to_all else "adminsAndGuestInviters",
        "allowUserConsentForRiskyApps": None,
        "allowedToSignUpEmailBasedSubscriptions": open_to_all,
        "allowedToUseSSPR": True,
        "blockMsolPowerShell": not open_to_all,
        "defaultUserRolePermissions": {
            "allowedToCreateApps": open_to_all,
            "allowedToCreateSecurityGroups": open_to_all,
            "allowedToCreateTenants": open_to_all,
            "allowedToReadBitlockerKeysForOwnedDevice": True,
            "allowedToReadOtherUsers": True,
            "permissionGrantPoliciesAssigned": [_ANY_CONSENT] if open_to_all else [],
        },
        "deletedDateTime": None,
        "description": "Used to manage authorization related settings across the company.",
        "displayName": "Authorization Policy",
        "guestUserRoleId": _GUEST if open_to_all else _RESTRICTED_GUEST,
    }


def admin_consent_request_policy(tenant: Tenant) -> Json:
    """Switched on where users may not consent themselves; the reviewers are the global administrators."""
    enabled = tenant.posture.tidy
    query = f"/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"
    return {
        "isEnabled": enabled,
        "notifyReviewers": enabled,
        "remindersEnabled": enabled,
        "requestDurationInDays": 30 if enabled else 0,
        "reviewers": [{"query": query, "queryRoot": None, "queryType": "MicrosoftGraph"}] if enabled else [],
        "version": 0,
    }
