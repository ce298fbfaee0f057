"""Throttled as Microsoft throttles: https://learn.microsoft.com/graph/throttling-limits."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphsim.trouble.limits import Bucket
from tests.unit.graphsim.asking import Client, client, config

POLICIES = "identity/conditionalAccess/policies"
DETAILS = "reports/authenticationMethods/userRegistrationDetails"


@pytest.fixture
def asking() -> Client:
    """A tenant with 50 units in 10 seconds."""
    return client(config(throttle=True, factor=0.01))


def statuses(asking: Client, url: str, times: int, priority: str = "") -> list[int]:
    return [asking.ask(url, priority=priority).status for _ in range(times)]


def test_the_units_of_a_window_are_given_out_and_not_one_more(asking: Client) -> None:
    assert statuses(asking, "users", 26) == [200] * 25 + [429]
    asking.clock.now += 9.999
    assert asking.ask("users").status == 429
    asking.clock.now += 0.001
    assert asking.ask("users").status == 200


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 4), st.sampled_from(["users", "groups", "subscribedSkus"])), max_size=60))
def test_no_window_however_it_lies_holds_more_than_the_limit(gaps: list[tuple[float, str]]) -> None:
    asking = client(config(throttle=True, factor=0.002))  # 10 units
    costs = {"users": 2, "groups": 1, "subscribedSkus": 3}
    given_out: list[tuple[float, int]] = []
    for moment, (_, url) in zip(accumulate(gap for gap, _ in gaps), gaps, strict=True):
        asking.clock.now = moment
        if asking.ask(url).status == 200:
            given_out.append((moment, costs[url]))

    windows = [sum(units for at, units in given_out if end - 10 < at <= end) for end, _ in given_out]

    assert max(windows, default=0) <= 10


def test_a_refusal_says_when_to_come_back_and_whose_limit_it_was(asking: Client) -> None:
    statuses(asking, "users", 10)
    asking.clock.now += 3.5
    statuses(asking, "users", 15)

    refused = asking.ask("users")
    tenant = asking.simulator.state(0).tenant

    assert refused.headers["Retry-After"] == "7"
    assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/ReadWrite/{tenant.client_id}/{tenant.id}"
    assert refused.headers["x-ms-throttle-limit-percentage"] == "1.04"
    asking.clock.now += 7
    assert asking.ask("users").status == 200


def test_answers_tell_their_cost_and_warn_from_four_fifths_on(asking: Client) -> None:
    answers = [asking.ask("users") for _ in range(25)]

    assert {answer.headers["x-ms-resource-unit"] for answer in answers} == {"2"}
    told = [answer.headers.get("x-ms-throttle-limit-percentage") for answer in answers]
    assert told == [None] * 19 + ["0.80", "0.84", "0.88", "0.92", "0.96", "1.00"]


def test_the_percentage_tells_the_share_of_refusals_beyond_one_and_never_passes_its_range(asking: Client) -> None:
    statuses(asking, "users", 49)
    half = asking.ask("users")
    statuses(asking, "users", 200)

    assert half.headers["x-ms-throttle-limit-percentage"] == "1.50"
    assert asking.ask("users").headers["x-ms-throttle-limit-percentage"] == "1.80"


def test_tenants_do_not_share_their_units(asking: Client) -> None:
    statuses(asking, "users", 26)

    assert asking.ask("users", tenant=1).status == 200


def test_conditional_access_takes_one_request_a_second_and_gives_no_hint(asking: Client) -> None:
    first, second = asking.ask(POLICIES), asking.ask("identity/conditionalAccess/namedLocations")
    asking.clock.now += 1

    assert (first.status, second.status) == (200, 429)
    assert "Retry-After" not in second.headers
    assert asking.ask(POLICIES).status == 200


def test_reports_take_five_requests_in_ten_seconds() -> None:
    asking = client(config(throttle=True))

    assert statuses(asking, DETAILS, 6) == [200] * 5 + [429]
    assert asking.ask(DETAILS).headers["Retry-After"] == "10"


def test_the_application_has_a_limit_over_all_tenants() -> None:
    asking = client(config(throttle=True))
    answers = [asking.ask("nonsense", tenant=number % 2) for number in range(2_001)]

    assert [answer.status for answer in answers] == [400] * 2_000 + [429]
    assert answers[-1].headers["x-ms-throttle-scope"].startswith("Application/")


def test_low_priority_goes_first_when_there_is_more_urgent_work_and_has_the_whole_limit_alone() -> None:
    alone, beside = client(config(throttle=True, factor=0.01)), client(config(throttle=True, factor=0.01))

    assert statuses(alone, "users", 26, priority="low") == [200] * 25 + [429]
    statuses(beside, "users", 22)
    assert beside.ask("users", priority="Low").status == 429
    assert beside.ask("users").status == 200


def test_without_enforcement_nothing_is_refused_and_everything_is_metered() -> None:
    asking = client(config(factor=0.01))

    assert statuses(asking, "users", 60) == [200] * 60
    seen = asking.simulator.meter(0)[Bucket.IDENTITY]
    assert (seen.requests, seen.units, seen.throttled, seen.limit) == (60, 120, 0, 50)
    assert seen.peak_units == 120


def test_the_meter_keeps_what_was_asked_apart_from_what_was_given(asking: Client) -> None:
    statuses(asking, "users", 30)

    seen = asking.simulator.meter(0, seconds=10)[Bucket.IDENTITY]

    assert (seen.requests, seen.units, seen.throttled) == (30, 50, 5)
    assert (seen.peak_units, seen.peak_demand, seen.mean_share) == (50, 60, 1.0)
