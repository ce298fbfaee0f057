"""What every store of paces keeps to: the one of a process, and the one in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.providers.microsoft365.throttling.buckets import Bucket, Lane, Limit, Pace
from pipeline.providers.microsoft365.throttling.pacing import Ticket
from pipeline.providers.microsoft365.throttling.redis_store import RedisStore
from pipeline.providers.microsoft365.throttling.store import Draw, LocalStore, PaceStore, Places

pytestmark = pytest.mark.servers

T = TypeVar("T")
SOON = 0.05
"""Seconds that may pass between two questions."""

HOUR = 3_600.0
SLOW = Draw(
    key="test:slow",
    units=1,
    limit=Limit(units=10, seconds=100.0),
    pace=Pace(common=Lane(share=0.8, burst=0.2), reserved=Lane(share=0.1), alone=1.0),
)
"""Scheduled: two at once, then one in 12.5 s. Others: besides, one in 100 s."""


def local(_redis_url: str) -> PaceStore:
    return LocalStore()


@pytest.fixture(params=[local, RedisStore], ids=["local", "redis"])
def store(request: pytest.FixtureRequest, redis_url: str) -> PaceStore:
    make: Callable[[str], PaceStore] = request.param
    return make(redis_url)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def reserve(store: PaceStore, *draws: Draw, patience: float = HOUR, low: bool = True) -> Places:
    return run(store.reserve(draws or [SLOW], patience=patience, low=low))


def waits(store: PaceStore, number: int, draw: Draw = SLOW, *, low: bool = True) -> list[float]:
    return [reserve(store, draw, low=low).wait for _ in range(number)]


def test_a_burst_then_the_pace(store: PaceStore) -> None:
    assert waits(store, 5) == pytest.approx([0, 0, 12.5, 25, 37.5], abs=SOON)


def test_whoever_is_not_low_takes_the_earlier_lane(store: PaceStore) -> None:
    waits(store, 3)
    assert waits(store, 3, low=False) == pytest.approx([0, 25, 37.5], abs=SOON)


def test_more_units_wait_longer(store: PaceStore) -> None:
    assert waits(store, 3, replace(SLOW, units=2)) == pytest.approx([0, 25, 50], abs=SOON)


def test_more_units_than_the_burst_come_at_the_pace(store: PaceStore) -> None:
    assert waits(store, 3, replace(SLOW, units=8)) == pytest.approx([0, 100, 200], abs=SOON)


def test_buckets_do_not_know_each_other(store: PaceStore) -> None:
    waits(store, 5)
    assert waits(store, 2, replace(SLOW, key="test:other")) == [0, 0]


def test_a_place_that_is_too_late_is_not_taken(store: PaceStore) -> None:
    waits(store, 2)
    refused = reserve(store, patience=10.0)
    assert (refused.refused, refused.count) == (True, 0)
    assert refused.wait == pytest.approx(12.5, abs=SOON)
    assert waits(store, 1) == pytest.approx([12.5], abs=SOON)


def test_draws_are_served_in_turn_up_to_the_first_that_waits(store: PaceStore) -> None:
    first, second, third = (replace(SLOW, key=f"test:{number}") for number in range(3))
    waits(store, 2, second)
    places = reserve(store, first, second, third)
    assert places.count == 2
    assert places.wait == pytest.approx(12.5, abs=SOON)
    assert waits(store, 2, third) == [0, 0]


def test_a_place_is_not_paid_again_when_it_is_due(store: PaceStore) -> None:
    fast = replace(SLOW, limit=Limit(units=10, seconds=1.0))
    waits(store, 2, fast)

    async def redeemed() -> float:
        places = await store.reserve([fast], patience=HOUR, low=True)
        await asyncio.sleep(places.wait)
        ticket = Ticket(got_at=places.at, due=places.at + places.wait)
        return (await store.reserve([replace(fast, ticket=ticket)], patience=HOUR, low=True)).wait

    assert run(redeemed()) == 0


def test_a_place_far_from_its_time_is_got_anew(store: PaceStore) -> None:
    waits(store, 2)
    at = reserve(store).at
    early = replace(SLOW, ticket=Ticket(got_at=at, due=at + 12.5))
    assert reserve(store, early).wait == pytest.approx(25, abs=SOON)


def test_a_hold_voids_places_and_ends_in_the_pace(store: PaceStore) -> None:
    places = reserve(store)
    held = replace(SLOW, ticket=Ticket(got_at=places.at, due=places.at))
    run(store.hold(SLOW, 40.0))
    assert reserve(store, held).wait == pytest.approx(52.5, abs=SOON)
    assert waits(store, 2, low=False) == pytest.approx([40, 65], abs=SOON)


def test_a_shorter_hold_does_not_end_a_longer_one(store: PaceStore) -> None:
    run(store.hold(SLOW, 40.0))
    run(store.hold(SLOW, 1.0))
    assert waits(store, 1) == pytest.approx([52.5], abs=SOON)


def test_use_beyond_the_limit_slows_everybody_down(store: PaceStore) -> None:
    run(store.slow_down(SLOW, 1.6))
    assert waits(store, 3) == pytest.approx([0, 25, 50], abs=SOON)


def test_a_limit_that_was_learned_replaces_the_first(store: PaceStore) -> None:
    run(store.learn(replace(SLOW, limit=Limit(units=20, seconds=100.0))))
    assert waits(store, 6) == pytest.approx([0, 0, 0, 0, 6.25, 12.5], abs=SOON)


moves = st.lists(
    st.tuples(st.sampled_from(["reserve", "hold", "slow_down"]), st.integers(1, 40), st.booleans()),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bucket=st.sampled_from(Bucket), played=moves)
def test_both_stores_give_the_same_places(redis_url: str, bucket: Bucket, played: list[tuple[str, int, bool]]) -> None:
    """Asked at the same time, up to the time the questions themselves take."""
    both: tuple[PaceStore, PaceStore] = (LocalStore(), RedisStore(redis_url))
    draw = Draw(key=f"test:{uuid4()}", units=1, limit=bucket.limit, pace=replace(bucket.pace, alone=1.0))
    for move, number, low in played:
        if move == "reserve":
            mine, theirs = (reserve(each, replace(draw, units=number), low=low) for each in both)
            assert mine.wait == pytest.approx(theirs.wait, abs=4 * SOON)
        for each in both:
            if move == "hold":
                run(each.hold(draw, float(number)))
            if move == "slow_down":
                run(each.slow_down(draw, 0.7 + number / 40))
