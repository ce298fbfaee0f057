"""What requests cost, and from which buckets."""

from __future__ import annotations

import pytest

from pipeline.providers.microsoft365.throttling.buckets import Bucket, identity_limit
from pipeline.providers.microsoft365.throttling.costs import Charge, bucket_of, charges, resource_units

COSTS = [
    ("/users", 2),
    ("/users?$top=999", 2),
    ("/users?$select=id", 1),
    ("/users?$select=id&$top=5", 1),
    ("/users?$top=19", 1),
    ("/users?$top=20", 2),
    ("/users?$top=many", 2),
    ("/users?$expand=manager", 3),
    ("/users/delta?$select=id", 1),
    ("/users/delta()", 2),
    ("/users/1", 1),
    ("/users/1?$select=id", 1),
    ("/users/1/memberOf", 2),
    ("/users/members", 3),
    ("/groups", 1),
    ("/groups/1/members", 3),
    ("/groups/1/members/microsoft.graph.user?$count=true", 3),
    ("/groups/1/members/$count", 3),
    ("/groups/1/members?$select=id", 2),
    ("/groups/1/transitiveMembers", 5),
    ("/groups/1/transitiveMembers?$select=id&$top=5", 3),
    ("/groups/1/transitiveMembers?%24select=id", 4),
    ("/groups/1/transitiveMembers?$SELECT=id", 4),
    ("/subscribedSkus", 3),
    ("/applications", 2),
    ("/organization", 1),
    ("/", 1),
    ("https://graph.microsoft.com/v1.0/users?$select=id&$skiptoken=x", 1),
    ("https://graph.microsoft.com/beta/subscribedSkus", 3),
]


@pytest.mark.parametrize(("url", "units"), COSTS)
def test_a_read_costs_what_microsoft_says(url: str, units: int) -> None:
    assert resource_units(url) == units


BUCKETS = [
    ("/users", Bucket.IDENTITY),
    ("/policies/authenticationStrengthPolicies", Bucket.IDENTITY),
    ("/identity/identityProviders", Bucket.IDENTITY),
    ("/identity/conditionalAccess/policies", Bucket.PROTECTION),
    ("https://graph.microsoft.com/v1.0/Identity/ConditionalAccess/namedLocations?$skiptoken=x", Bucket.PROTECTION),
    ("/identityProtection/riskyUsers", Bucket.PROTECTION),
    ("/auditLogs/signIns?$top=1", Bucket.REPORTS),
    ("/reports/authenticationMethods/userRegistrationDetails", Bucket.REPORTS),
    ("/reportsOfOthers", Bucket.IDENTITY),
]


@pytest.mark.parametrize(("url", "bucket"), BUCKETS)
def test_the_path_tells_the_bucket(url: str, bucket: Bucket) -> None:
    assert bucket_of(url) is bucket


def test_every_request_draws_on_the_application_s_bucket_after_its_own() -> None:
    assert charges(["/auditLogs/signIns?$top=1"]) == (
        Charge(bucket=Bucket.REPORTS, units=1),
        Charge(bucket=Bucket.APPLICATION, units=1),
    )


def test_a_batch_costs_what_its_requests_cost() -> None:
    assert charges(["/groups/1/members", "/groups/2/transitiveMembers", "/reports/x"]) == (
        Charge(bucket=Bucket.IDENTITY, units=8),
        Charge(bucket=Bucket.REPORTS, units=1),
        Charge(bucket=Bucket.APPLICATION, units=3),
    )


@pytest.mark.parametrize(("users", "units"), [(0, 3_500), (49, 3_500), (50, 5_000), (500, 5_000), (501, 8_000)])
def test_the_limit_grows_with_the_tenant(users: int, units: int) -> None:
    assert identity_limit(users).units == units
    assert identity_limit(users).seconds == 10
