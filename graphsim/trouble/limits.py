"""Microsoft's throttling figures, all of them here, and what a request costs.

https://learn.microsoft.com/graph/throttling-limits: "Identity and access service limits", "... reports service limits"
and "Identity protection and conditional access service limits". Microsoft changes them: the page of January 2025 has
130,000 requests per 10 seconds where the earlier one, and the simulator, have 2,000 per second for an application.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graphsim.protocol.exchange import GraphRequest


class Bucket(StrEnum):
    """What is limited together."""

    IDENTITY = "identity"
    """Resource units of one application in one tenant."""
    REPORTS = "reports"
    """Sign-in and authentication-method reports: requests of one application in one tenant."""
    CONDITIONAL_ACCESS = "conditional_access"
    """Conditional access, named locations and identity protection: requests to one tenant. Refuses without a hint."""
    APPLICATION = "application"
    """Requests of the application over all tenants."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most ``units`` in any ``seconds``."""

    units: int
    seconds: float


LIMITS = {
    Bucket.REPORTS: Limit(units=5, seconds=10),
    Bucket.CONDITIONAL_ACCESS: Limit(units=1, seconds=1),
    Bucket.APPLICATION: Limit(units=2_000, seconds=1),
}
_SMALL, _MEDIUM, _LARGE = 3_500, 5_000, 8_000
_IDENTITY_SECONDS = 10
_MEDIUM_FROM, _MEDIUM_TO = 50, 500

WARN_FROM, WARN_TO = 0.8, 1.8
"""``x-ms-throttle-limit-percentage`` is told from this share of the limit on and never beyond the second."""
LOW_SHARE = 0.9
"""Where requests of low priority stop while others of the same bucket come. Microsoft says only "first"."""

_CONDITIONAL_ACCESS = ("identity/conditionalaccess", "identityprotection")
_REPORTS = ("reports/authenticationmethods", "auditlogs")
_COSTS = (
    (("users",), 2),
    (("groups", "*", "members"), 3),
    (("groups", "*", "transitivemembers"), 5),
    (("subscribedskus",), 3),
    (("applications",), 2),
    (("applications", "*", "extensionproperties"), 2),
    (("contracts",), 3),
    (("directoryobjects", "getbyids"), 5),
    (("domains", "*", "domainnamereferences"), 4),
    (("users", "*", "licensedetails"), 2),
    (("users", "*", "memberof"), 2),
    (("users", "*", "transitivememberof"), 2),
    (("users", "*", "getmembergroups"), 2),
    (("users", "*", "checkmembergroups"), 4),
    (("oauth2permissiongrants",), 2),
    (("oauth2permissiongrants", "*"), 2),
    (("serviceprincipals", "*", "approleassignments"), 2),
)
"""Base costs in resource units; every other path costs 1. A type cast at the end changes nothing."""
_SMALL_PAGE = 20


def limit_of(bucket: Bucket, *, users: int, factor: float) -> Limit:
    """The limit for a tenant of so many users. ``factor`` scales the resource units down for tests, to one at least."""
    if bucket is not Bucket.IDENTITY:
        return LIMITS[bucket]
    size = _SMALL if users < _MEDIUM_FROM else _MEDIUM if users <= _MEDIUM_TO else _LARGE
    return Limit(units=max(1, round(size * factor)), seconds=_IDENTITY_SECONDS)


def bucket_of(request: GraphRequest) -> Bucket:
    """The service whose limit a request falls under, besides the application's."""
    path = request.path.strip("/").lower()
    if path.startswith(_CONDITIONAL_ACCESS):
        return Bucket.CONDITIONAL_ACCESS
    return Bucket.REPORTS if path.startswith(_REPORTS) else Bucket.IDENTITY


def cost_of(request: GraphRequest) -> int:
    """Units of the bucket: resource units of identity requests, 1 elsewhere."""
    if bucket_of(request) is not Bucket.IDENTITY:
        return 1
    given = {name.lower(): value for name, value in request.parameters}
    top = given.get("$top", "")
    cost = _base_cost(request.path) - ("$select" in given) + ("$expand" in given)
    return max(1, cost - (top.isdecimal() and int(top) < _SMALL_PAGE))


def _base_cost(path: str) -> int:
    segments = [segment.removesuffix("()") for segment in path.strip("/").lower().split("/")]
    if segments[-1].startswith("microsoft.graph."):
        segments.pop()
    for pattern, cost in _COSTS:
        if len(pattern) == len(segments) and all(map(_fits, pattern, segments)):
            return cost
    return 1


def _fits(part: str, segment: str) -> bool:
    return part in {"*", segment}
