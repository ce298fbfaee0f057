"""The pace: strict over every sliding window, and yet most of the limit."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.providers.microsoft365.throttling import pacing
from pipeline.providers.microsoft365.throttling.buckets import Bucket, Limit, identity_limit
from pipeline.providers.microsoft365.throttling.pacing import Granted, Ticket

LARGEST_BATCH = 100
"""Units of twenty requests for transitive members."""

JITTER = {Bucket.IDENTITY: 0.35, Bucket.REPORTS: 1.0, Bucket.PROTECTION: 0.13, Bucket.APPLICATION: 0.1}
"""Seconds by which requests may come together closer than they were granted, without breaking the limit."""

FOREVER = 30.0


@dataclass
class Queue:
    """One bucket: what it remembers, and the moments and units it granted."""

    bucket: Bucket
    limit: Limit
    granted: Granted = Granted()
    grants: list[tuple[float, int]] = field(default_factory=list)

    def reserve(self, at: float, units: int, *, low: bool) -> float:
        """The moment of the grant."""
        place = pacing.reserve(self.granted, units, limit=self.limit, pace=self.bucket.pace, low=low, now=at)
        self.granted = place.granted
        self.grants.append((at + place.wait, units))
        return at + place.wait


def most_in_a_window(grants: Iterable[tuple[float, int]], seconds: float) -> int:
    """The most units in any half-open window."""
    ordered = sorted(grants)
    first, inside, most = 0, 0, 0
    for moment, units in ordered:
        inside += units
        while moment - ordered[first][0] >= seconds - 1e-9:
            inside -= ordered[first][1]
            first += 1
        most = max(most, inside)
    return most


@dataclass(frozen=True)
class Ask:
    gap: float
    units: int
    low: bool
    lateness: float


asks = st.lists(
    st.builds(
        Ask,
        gap=st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 30)),
        units=st.integers(1, LARGEST_BATCH),
        low=st.booleans(),
        lateness=st.floats(0, 1),
    ),
    min_size=1,
    max_size=200,
)


def granted(bucket: Bucket, wanted: Sequence[Ask]) -> list[tuple[float, int]]:
    """When each was due."""
    queue, now = Queue(bucket, bucket.limit), 1000.0
    for ask in wanted:
        now += ask.gap
        queue.reserve(now, ask.units if bucket is Bucket.IDENTITY else 1, low=ask.low)
    return queue.grants


def gone(bucket: Bucket, wanted: Sequence[Ask]) -> list[tuple[float, int]]:
    """When each went, who comes late to every appointment: by up to a second."""
    limit, pace, memory = bucket.limit, bucket.pace, Granted()
    begun, went = 1000.0, list[tuple[float, int]]()
    coming: list[tuple[float, int, Ask, Ticket | None]] = []
    for number, ask in enumerate(wanted):
        begun += ask.gap
        heapq.heappush(coming, (begun, number, ask, None))
    while coming:
        now, number, ask, ticket = heapq.heappop(coming)
        units = ask.units if bucket is Bucket.IDENTITY else 1
        place = pacing.redeem(memory, units, ticket, limit=limit, pace=pace, now=now) if ticket else None
        place = place or pacing.reserve(memory, units, limit=limit, pace=pace, low=ask.low, now=now)
        memory = place.granted
        if place.wait > 0:
            due = now + place.wait
            heapq.heappush(coming, (due + ask.lateness, number, ask, Ticket(got_at=now, due=due)))
        else:
            went.append((now, units))
    return went


@given(st.sampled_from(Bucket), asks)
def test_no_sliding_window_grants_more_than_the_limit(bucket: Bucket, wanted: Sequence[Ask]) -> None:
    assert most_in_a_window(granted(bucket, wanted), bucket.limit.seconds) <= bucket.limit.units


@given(st.sampled_from(Bucket), asks)
def test_nor_when_those_who_wait_wake_up_late(bucket: Bucket, wanted: Sequence[Ask]) -> None:
    assert most_in_a_window(gone(bucket, wanted), bucket.limit.seconds) <= bucket.limit.units


@given(st.sampled_from(Bucket), asks)
def test_nor_when_requests_come_later_than_they_were_granted(bucket: Bucket, wanted: Sequence[Ask]) -> None:
    arrivals = [
        (moment + ask.lateness * JITTER[bucket], units)
        for (moment, units), ask in zip(granted(bucket, wanted), wanted, strict=True)
    ]
    assert most_in_a_window(arrivals, bucket.limit.seconds) <= bucket.limit.units


@pytest.mark.parametrize("bucket", Bucket)
@pytest.mark.parametrize("low", [True, False])
def test_a_window_is_nearly_full_when_everybody_asks_at_once(bucket: Bucket, *, low: bool) -> None:
    """The worst case of the properties above, which random asking does not reach."""
    cost = LARGEST_BATCH if bucket is Bucket.IDENTITY else 1
    queue = Queue(bucket, bucket.limit)
    while not queue.grants or queue.grants[-1][0] < FOREVER:
        queue.reserve(0.0, cost, low=low)
    arrivals = [(max(moment, JITTER[bucket]), units) for moment, units in queue.grants]
    most = most_in_a_window(arrivals, bucket.limit.seconds)
    assert 0.8 * bucket.limit.units <= most <= bucket.limit.units


@pytest.mark.parametrize("users", [10, 100, 1000])
@pytest.mark.parametrize("cost", [1, 5, LARGEST_BATCH])
def test_scheduled_readings_alone_get_most_of_the_units(users: int, cost: int) -> None:
    limit = identity_limit(users)
    assert 0.8 <= share_granted(Bucket.IDENTITY, limit, cost) <= 1.0


@pytest.mark.parametrize("bucket", [Bucket.REPORTS, Bucket.PROTECTION, Bucket.APPLICATION])
def test_scheduled_readings_alone_get_most_of_the_requests(bucket: Bucket) -> None:
    assert 0.8 <= share_granted(bucket, bucket.limit, 1) <= 1.0


def share_granted(bucket: Bucket, limit: Limit, cost: int) -> float:
    """Of what the limit allows in a minute, after the first window."""
    queue, end = Queue(bucket, limit), limit.seconds + FOREVER
    while queue.reserve(0.0, cost, low=True) < end:
        pass
    used = sum(units for moment, units in queue.grants if limit.seconds <= moment < end)
    return used / (limit.units * FOREVER / limit.seconds)


@given(asks)
def test_nobody_is_overtaken_by_his_equals(wanted: Sequence[Ask]) -> None:
    grants = granted(Bucket.IDENTITY, [replace(ask, low=True) for ask in wanted])
    assert grants == sorted(grants, key=lambda grant: grant[0])


def test_whoever_is_not_scheduled_passes_a_queue_of_those_who_are() -> None:
    queue = Queue(Bucket.IDENTITY, Bucket.IDENTITY.limit)
    for _ in range(1000):
        queue.reserve(0.0, 2, low=True)
    assert queue.reserve(0.0, 2, low=True) > 5
    assert queue.reserve(0.0, 2, low=False) == 0


def test_after_a_hold_the_pace_begins_without_a_burst() -> None:
    bucket = Bucket.IDENTITY
    queue = Queue(bucket, bucket.limit)
    queue.granted = pacing.hold(queue.granted, 7.0, limit=bucket.limit, pace=bucket.pace, now=100.0)
    moments = [queue.reserve(100.0, 1, low=False) for _ in range(100)]
    assert min(moments) > 107
    assert 0.2 < max(moments) - 107 < 0.4


@pytest.mark.parametrize(("used", "slower"), [(0.7, 1.0), (0.8, 1.0), (1.0, 1.25), (1.6, 2.0)])
def test_near_the_limit_the_pace_is_slower_in_proportion(used: float, slower: float) -> None:
    told = Granted(used=used, told_at=50.0, common_until=51.0)
    before = Granted(common_until=51.0)
    limit, pace = Bucket.REPORTS.limit, Bucket.REPORTS.pace

    def spacing(granted: Granted, now: float) -> float:
        return pacing.reserve(granted, 1, limit=limit, pace=pace, low=True, now=now).granted.common_until - now

    assert spacing(told, 51.0) - spacing(before, 51.0) == pytest.approx(2 / 0.9 * (slower - 1) * 0.9)
    assert spacing(told, 60.0) == spacing(before, 60.0)


def test_slowing_down_as_microsoft_tells_still_uses_four_fifths() -> None:
    """Told of the use of the last window once a second, as the limiter is."""
    bucket = Bucket.IDENTITY
    queue, now = Queue(bucket, bucket.limit), 0.0
    while now < FOREVER + 10:
        used = sum(units for moment, units in queue.grants if now - 10 < moment <= now) / bucket.limit.units
        if used >= pacing.NEARLY:
            queue.granted = replace(queue.granted, used=used, told_at=now)
        while queue.reserve(now, 5, low=True) < now + 1:
            pass
        now += 1
    used_in_all = sum(units for moment, units in queue.grants if 10 <= moment < FOREVER + 10)
    assert used_in_all >= 0.8 * bucket.limit.units * FOREVER / 10
