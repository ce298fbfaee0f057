"""Applications registered in a tenant, and their credentials: some are long expired where nobody tidies.

https://learn.microsoft.com/graph/api/resources/application, ``passwordcredential`` and ``keycredential``
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

from graphsim.directory.seeding import draw, guid, number_of, numbered_guid
from graphsim.directory.tenants import Json, Tenant
from graphsim.protocol.errors import not_found

_NAMES = (
    "Backup Connector",
    "ERP Interface",
    "Website Contact Form",
    "Ticketing Bridge",
    "Reporting",
    "HR Synchronization",
    "Door Access",
    "Print Release",
)
_FIRST = 4
_USERS_PER_APPLICATION = 100
_MOST = 400
GRAPH = "00000003-0000-0000-c000-000000000000"
_USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"

FINE, EXPIRING_SECRET, ROTATED, CERTIFICATE, EXPIRING_CERTIFICATE = range(5)
"""What an application has: the kinds come one after the other, in tidy tenants only those that are in order."""
_IN_ORDER = (FINE, CERTIFICATE)


def application_count(tenant: Tenant) -> int:
    """One for the managed services provider itself, four more, and one for every 100 users up to 400."""
    return 1 + _FIRST + min(tenant.size // _USERS_PER_APPLICATION, _MOST)


def application_id(tenant: Tenant, number: int) -> str:
    return numbered_guid(tenant.key, b"appobject", number)


def app_id(tenant: Tenant, number: int) -> str:
    """The client id; application 0 is the one that reads the tenant."""
    return guid(draw(tenant.key, b"appid", number)) if number else tenant.client_id


def application_name(number: int) -> str:
    if not number:
        return "Managed Services Monitoring"
    name, again = _NAMES[(number - 1) % len(_NAMES)], (number - 1) // len(_NAMES)
    return f"{name} {again + 1}" if again else name


def application(tenant: Tenant, number: int) -> Json:
    """Every property the simulator knows of an application."""
    return {
        "id": application_id(tenant, number),
        "appId": app_id(tenant, number),
        "addIns": [],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
            "requestedAccessTokenVersion": 2,
        },
        "appRoles": [],
        "createdDateTime": tenant.ago(days=900 - number),
        "displayName": application_name(number),
        "identifierUris": [],
        "info": dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")),
        "isFallbackPublicClient": False,
        "keyCredentials": [_key(tenant, number, *span) for span in _certificates(tenant, number)],
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": [
            _password(tenant, number, place, *span) for place, span in enumerate(_secrets(tenant, number))
        ],
        "publicClient": {"redirectUris": []},
        "publisherDomain": tenant.domain,
        "requiredResourceAccess": [{"resourceAppId": GRAPH, "resourceAccess": [{"id": _USER_READ, "type": "Scope"}]}],
        "signInAudience": "AzureADMyOrg",
        "spa": {"redirectUris": []},
        "tags": [],
        "verifiedPublisher": dict.fromkeys(("addedDateTime", "displayName", "verifiedPublisherId")),
        "web": {
            "homePageUrl": None,
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
            "logoutUrl": None,
            "redirectUriSettings": [],
            "redirectUris": [],
        },
    }


def _state(tenant: Tenant, number: int) -> int:
    if not number:
        return FINE
    return _IN_ORDER[number % len(_IN_ORDER)] if tenant.posture.tidy else number % (EXPIRING_CERTIFICATE + 1)


def _secrets(tenant: Tenant, number: int) -> Iterator[tuple[int, int]]:
    """``(days since it began, days until it ends)`` of each client secret; an ended one has fewer than 0 left."""
    match _state(tenant, number):
        case 0:
            yield 200, 530
        case 1:
            yield 718, 12
        case 2:
            yield 405, -40
            yield 50, 680


def _certificates(tenant: Tenant, number: int) -> Iterator[tuple[int, int]]:
    match _state(tenant, number):
        case 3:
            yield 130, 600
        case 4:
            yield 340, 25


def _password(tenant: Tenant, number: int, place: int, began: int, left: int) -> Json:
    raw = draw(tenant.key, b"appsecret", number * 2 + place)
    return {
        "customKeyIdentifier": None,
        "displayName": f"Secret {place + 1}",
        "endDateTime": tenant.ago(days=-left),
        "hint": raw[16:18].hex()[:3],
        "keyId": guid(raw),
        "secretText": None,
        "startDateTime": tenant.ago(days=began),
    }


def _key(tenant: Tenant, number: int, began: int, left: int) -> Json:
    """``key`` stays null in lists."""
    raw = draw(tenant.key, b"appkey", number)
    return {
        "customKeyIdentifier": b64encode(raw[16:36]).decode(),
        "displayName": f"CN={application_name(number)}",
        "endDateTime": tenant.ago(days=-left),
        "key": None,
        "keyId": guid(raw),
        "startDateTime": tenant.ago(days=began),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def service_principal(tenant: Tenant, number: int) -> Json:
    """The application's presence in its own tenant: https://learn.microsoft.com/graph/api/resources/serviceprincipal"""
    return {
        "id": numbered_guid(tenant.key, b"principal", number),
        "accountEnabled": True,
        "addIns": [],
        "alternativeNames": [],
        "appDisplayName": application_name(number),
        "appId": app_id(tenant, number),
        "appOwnerOrganizationId": tenant.id,
        "appRoleAssignmentRequired": False,
        "appRoles": [],
        "displayName": application_name(number),
        "info": dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")),
        "keyCredentials": [],
        "notificationEmailAddresses": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "replyUrls": [],
        "resourceSpecificApplicationPermissions": [],
        "servicePrincipalNames": [app_id(tenant, number)],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
        "verifiedPublisher": dict.fromkeys(("addedDateTime", "displayName", "verifiedPublisherId")),
    }


def find_principal(tenant: Tenant, key: str) -> int:
    """The application a service principal is of, by the principal's id, or Graph's 404."""
    number = number_of(tenant.key, b"principal", key)
    if number is None or not 0 <= number < application_count(tenant):
        raise not_found(key)
    return number
