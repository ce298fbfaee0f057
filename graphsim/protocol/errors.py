"""Graph's way to say no: https://learn.microsoft.com/graph/errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class GraphError(Exception):
    """An answer other than 2xx. ``code`` is Microsoft's and what clients branch on."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


def bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def unsupported_query(message: str) -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def unknown_segment(segment: str) -> GraphError:
    """Graph answers 400, not 404, to a path it doesn't know."""
    return bad_request(f"Resource not found for the segment '{segment}'.")


def not_found(key: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def not_simulated(what: str) -> GraphError:
    """Graph can do this and the simulator can't: said openly instead of guessing an answer."""
    return GraphError(501, "NotImplemented", f"{what} is not simulated.")


def not_premium() -> GraphError:
    return GraphError(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )


def not_licensed() -> GraphError:
    """Identity Protection in a tenant without Microsoft Entra ID P2."""
    return GraphError(403, "Forbidden", "Your tenant is not licensed for this feature.")


def delegated_only() -> GraphError:
    return GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def needs_premium_p2() -> GraphError:
    """Privileged Identity Management in a tenant that has not bought it: 400, not 403."""
    return GraphError(
        400,
        "AadPremiumLicenseRequired",
        "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
    )


_SCOPES_MISSING = "You cannot perform the requested operation, required scopes are missing in the token."
_DENIALS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    # https://github.com/microsoftgraph/microsoft-graph-explorer-v4/issues/2580
    (re.compile(r"identity/conditionalaccess/|policies/identitysecuritydefaults"), "AccessDenied", _SCOPES_MISSING),
    # https://github.com/microsoftgraph/msgraph-sdk-go/issues/441
    (
        re.compile(r"users[/(][^/]+/authentication/|policies/authentication"),
        "accessDenied",
        "Request Authorization failed",
    ),
    # https://github.com/microsoftgraph/msgraph-beta-sdk-dotnet/issues/723
    (re.compile(r"identityprotection/"), "Forbidden", _SCOPES_MISSING),
    # https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/1852
    (
        re.compile(r"reports/|auditlogs/"),
        "Authentication_MSGraphPermissionMissing",
        "Calling principal does not have required MSGraph permissions AuditLog.Read.All",
    ),
)
"""How the services behind Graph refuse an application without the permission, by the path after ``/v1.0/``."""


def permission_missing(path: str) -> GraphError:
    """403 in the words of the service that answers the path, most often the directory's."""
    for service, code, message in _DENIALS:
        if service.match(path.strip("/").lower()):
            return GraphError(403, code, message)
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def invalid_token(message: str) -> GraphError:
    return GraphError(
        401,
        "InvalidAuthenticationToken",
        message,
        {"WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common"'},
    )


def unknown_identity() -> GraphError:
    """The token is good, and the tenant knows its application no more."""
    message = "The identity of the calling application could not be established."
    return GraphError(401, "Authorization_IdentityNotFound", message)


def expired_page_token() -> GraphError:
    return GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired or is invalid.")
