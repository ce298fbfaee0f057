"""Requests cost what Microsoft's page says: https://learn.microsoft.com/graph/throttling-limits."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from graphsim.protocol.exchange import GraphRequest
from graphsim.trouble.limits import Bucket, Limit, bucket_of, cost_of, limit_of
from tests.unit.graphsim.conftest import SERVICE


def request(url: str) -> GraphRequest:
    parts = urlsplit(url)
    return GraphRequest(path=parts.path, service=SERVICE, parameters=tuple(parse_qsl(parts.query)))


@pytest.mark.parametrize(
    ("url", "cost"),
    [
        ("users", 2),
        ("USERS", 2),
        ("users/delta()", 1),
        ("users?$select=id", 1),
        ("users?$select=id&$top=5", 1),
        ("users?$top=19", 1),
        ("users?$top=20", 2),
        ("users?$expand=manager", 3),
        ("users/7", 1),
        ("groups", 1),
        ("groups/7/members", 3),
        ("groups/7/members?$select=id", 2),
        ("groups/7/members/microsoft.graph.user?$select=id&$top=5", 1),
        ("groups/7/transitiveMembers", 5),
        ("groups/7/transitiveMembers?$select=id&$top=1", 3),
        ("subscribedSkus", 3),
        ("organization", 1),
        ("identity/conditionalAccess/policies", 1),
        ("reports/authenticationMethods/userRegistrationDetails?$top=999", 1),
    ],
)
def test_a_request_costs_its_resource_units(url: str, cost: int) -> None:
    assert cost_of(request(url)) == cost


@pytest.mark.parametrize(
    ("path", "bucket"),
    [
        ("users", Bucket.IDENTITY),
        ("policies/authenticationStrengthPolicies", Bucket.IDENTITY),
        ("identity/conditionalAccess/namedLocations", Bucket.CONDITIONAL_ACCESS),
        ("identityProtection/riskyUsers", Bucket.CONDITIONAL_ACCESS),
        ("reports/authenticationMethods/userRegistrationDetails", Bucket.REPORTS),
        ("auditLogs/signIns", Bucket.REPORTS),
    ],
)
def test_a_request_falls_under_its_services_limit(path: str, bucket: Bucket) -> None:
    assert bucket_of(request(path)) is bucket


@pytest.mark.parametrize(("users", "units"), [(49, 3_500), (50, 5_000), (500, 5_000), (501, 8_000)])
def test_the_identity_limit_grows_with_the_tenant(users: int, units: int) -> None:
    assert limit_of(Bucket.IDENTITY, users=users, factor=1.0) == Limit(units=units, seconds=10)


def test_a_factor_scales_the_resource_units_only_and_leaves_one_at_least() -> None:
    for factor, units in ((0.01, 35), (0.0001, 1)):
        scaled = {bucket: limit_of(bucket, users=10, factor=factor).units for bucket in Bucket}

        assert scaled == {
            Bucket.IDENTITY: units,
            Bucket.REPORTS: 5,
            Bucket.CONDITIONAL_ACCESS: 1,
            Bucket.APPLICATION: 2_000,
        }
