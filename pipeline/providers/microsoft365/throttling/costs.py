"""What a request draws from which buckets, by its path: https://learn.microsoft.com/graph/throttling-limits"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from pipeline.providers.microsoft365.throttling.buckets import Bucket

VERSIONS = frozenset({"v1.0", "beta"})
SMALL_PAGE = 20
BASE_COSTS: Mapping[str, int] = {
    "applications": 2,
    "approleassignments": 2,
    "checkmembergroups": 4,
    "checkmemberobjects": 4,
    "contracts": 3,
    "domainnamereferences": 4,
    "extensionproperties": 2,
    "getbyids": 5,
    "getmembergroups": 2,
    "getmemberobjects": 2,
    "ismemberof": 4,
    "licensedetails": 2,
    "memberof": 2,
    "members": 3,
    "oauth2permissiongrants": 2,
    "ownedobjects": 2,
    "subscribedskus": 3,
    "transitivememberof": 2,
    "transitivemembers": 5,
    "users": 2,
}
"""Resource units by the last segment of the path, in lower case. What isn't here costs 1; members of roles are taken
for members of groups."""

PROTECTION = (("identity", "conditionalaccess"), ("identityprotection",))
REPORTS = (("auditlogs",), ("reports",))
"""Beginnings of paths with buckets of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    bucket: Bucket
    units: int


def charges(urls: Iterable[str]) -> tuple[Charge, ...]:
    """What requests of these URLs draw together, the application's bucket last.

    URLs are whole or begin at the resource, as in a batch: each request of a batch is judged by itself
    (https://learn.microsoft.com/graph/throttling#throttling-and-batching).
    """
    drawn: Counter[Bucket] = Counter()
    for url in urls:
        bucket = bucket_of(url)
        drawn[bucket] += resource_units(url) if bucket is Bucket.IDENTITY else 1
        drawn[Bucket.APPLICATION] += 1
    return tuple(Charge(bucket=bucket, units=drawn[bucket]) for bucket in Bucket if bucket in drawn)


def bucket_of(url: str) -> Bucket:
    """The bucket besides the application's."""
    segments = _segments(url)
    if any(segments[: len(path)] == path for path in PROTECTION):
        return Bucket.PROTECTION
    if any(segments[: len(path)] == path for path in REPORTS):
        return Bucket.REPORTS
    return Bucket.IDENTITY


def resource_units(url: str) -> int:
    """What a read costs of ``Bucket.IDENTITY``. Delta and cast are taken for the list they come from."""
    options = {key.lower(): value for key, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    named = [part for part in _segments(url) if part != "delta" and not part.startswith(("microsoft.graph.", "$"))]
    cost = BASE_COSTS.get(named[-1], 1) if named else 1
    cost -= "$select" in options
    cost -= options.get("$top", "").isdecimal() and int(options["$top"]) < SMALL_PAGE
    cost += "$expand" in options
    return max(1, cost)


def _segments(url: str) -> tuple[str, ...]:
    """The path's segments in lower case, without the version; ``delta()`` as ``delta``."""
    parts = [part.lower().removesuffix("()") for part in urlsplit(url).path.split("/") if part]
    return tuple(parts[1:] if parts and parts[0] in VERSIONS else parts)
