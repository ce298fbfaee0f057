"""Redis away: nothing fails, nothing waits, it is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from pipeline.errors import ServerUnavailableError
from pipeline.providers.microsoft365.throttling.buckets import Bucket
from pipeline.providers.microsoft365.throttling.fallback import ALONE_SECONDS, SharedElseLocal, open_store
from pipeline.providers.microsoft365.throttling.store import Draw, LocalStore, Places
from tests.sleeping import Time

DRAW = Draw(key="k", units=1, limit=Bucket.PROTECTION.limit, pace=Bucket.PROTECTION.pace)


class Away(LocalStore):
    """A store that is there or not, and counts who asks."""

    def __init__(self, time: Time) -> None:
        super().__init__(monotonic=lambda: time.now)
        self.away = False
        self.asked = 0

    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        self.asked += 1
        if self.away:
            raise ServerUnavailableError("away")
        return await super().reserve(draws, patience=patience, low=low)


def reserved(store: SharedElseLocal) -> float:
    return asyncio.run(store.reserve([DRAW], patience=60.0, low=False)).wait


def stores(time: Time) -> tuple[Away, SharedElseLocal]:
    shared = Away(time)
    local = LocalStore(monotonic=lambda: time.now)
    return shared, SharedElseLocal(shared, local, monotonic=lambda: time.now)


def test_while_the_shared_store_answers_only_it_is_asked() -> None:
    time = Time()
    shared, store = stores(time)
    assert [reserved(store) == 0, reserved(store) > 0] == [True, True]
    assert shared.asked == 2


def test_the_process_goes_on_alone_and_asks_again_after_a_while() -> None:
    time = Time()
    shared, store = stores(time)
    reserved(store)
    shared.away = True
    assert [reserved(store) == 0, reserved(store) > 0] == [True, True]
    assert shared.asked == 2
    time.now += ALONE_SECONDS
    reserved(store)
    assert shared.asked == 3


def test_it_is_told_once_that_the_process_is_alone_and_once_that_it_is_not() -> None:
    time = Time()
    shared, store = stores(time)
    with capture_logs() as logs:
        for away in (False, True, True, False, False):
            shared.away = away
            reserved(store)
            time.now += ALONE_SECONDS
    assert [entry["event"] for entry in logs] == ["graph_limiter_alone", "graph_limiter_shared"]


def test_what_is_learned_holds_alone_too() -> None:
    time = Time()
    shared, store = stores(time)
    asyncio.run(store.learn(DRAW))
    shared.away = True
    assert reserved(store) == 0


def test_a_redis_that_is_not_there_delays_a_request_by_less_than_a_second() -> None:
    """Nothing listens at the discard port."""
    store = open_store("redis://127.0.0.1:9/0")

    async def wait() -> float:
        async with asyncio.timeout(1.0):
            return (await store.reserve([DRAW], patience=60.0, low=False)).wait

    assert asyncio.run(wait()) == 0


@pytest.mark.parametrize(("others", "least"), [(False, 1), (True, 2)])
def test_a_process_draws_all_of_a_limit_only_where_there_are_no_others(*, others: bool, least: int) -> None:
    store = LocalStore() if others else open_store(None)

    async def second_wait() -> float:
        await store.reserve([DRAW], patience=60.0, low=False)
        return (await store.reserve([DRAW], patience=60.0, low=False)).wait

    assert least <= asyncio.run(second_wait()) / Bucket.PROTECTION.limit.seconds < least + 1
