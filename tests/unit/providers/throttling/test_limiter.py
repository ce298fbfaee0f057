"""The limiter: who waits, who is refused, and what a 429 means for everybody else."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.errors import DeadlineExceededError, ThrottledError
from pipeline.providers.microsoft365.throttling.limiter import Limiter, Turn
from pipeline.providers.microsoft365.throttling.store import Draw, LocalStore
from tests.sleeping import Time

POLICIES = "/identity/conditionalAccess/policies"
SPACING = 1 / 0.88 / 0.5
"""Seconds between two such requests of a process that is alone."""


@pytest.fixture
def time() -> Time:
    return Time(now=1000.0)


@pytest.fixture
def store(time: Time) -> LocalStore:
    return LocalStore(monotonic=lambda: time.now)


def limiter(store: LocalStore, time: Time, tenant: str = "t", *, app: str = "a", low: bool = False) -> Limiter:
    return Limiter(store, app=app, tenant=tenant, low=low, clock=time.clock())


def ask(limiter: Limiter, url: str = POLICIES, *, turn: Turn | None = None, time_left: float = 1e9) -> Turn:
    return asyncio.run(limiter.admit(turn or limiter.turn([url]), time_left=time_left))


def test_a_turn_comes_at_the_moment_it_was_told(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time)
    assert ask(mine).wait == 0
    turn = ask(mine)
    assert turn.wait == pytest.approx(SPACING)
    time.now += turn.wait
    assert ask(mine, turn=turn).wait == 0


def test_conditional_access_is_limited_for_all_applications_of_a_tenant(store: LocalStore, time: Time) -> None:
    assert ask(limiter(store, time)).wait == 0
    assert ask(limiter(store, time, app="b")).wait > 0
    assert ask(limiter(store, time, "other")).wait == 0


def test_reports_are_limited_for_one_application_in_a_tenant(store: LocalStore, time: Time) -> None:
    assert ask(limiter(store, time), "/auditLogs/signIns").wait == 0
    assert ask(limiter(store, time), "/auditLogs/signIns").wait > 0
    assert ask(limiter(store, time, app="b"), "/auditLogs/signIns").wait == 0


def test_requests_that_were_held_up_do_not_go_together(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time)
    ask(mine)
    first, second = ask(mine), ask(mine)
    time.now += second.wait
    assert ask(mine, turn=second).wait == 0
    again = ask(mine, turn=first)
    assert again.wait == pytest.approx(SPACING)
    time.now += again.wait
    assert ask(mine, turn=again).wait == 0


def test_a_request_that_is_late_for_a_wide_bucket_gets_a_new_turn(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time, low=True)
    turns = [ask(mine, "/users") for _ in range(300)]
    time.now += turns[-1].wait
    assert ask(mine, turn=turns[-1]).wait == 0
    assert ask(mine, turn=turns[-2]).wait == 0
    time.now += 0.2
    assert ask(mine, turn=turns[-3]).draws[0].ticket != turns[-3].draws[0].ticket


def test_a_429_voids_the_turns_of_those_who_wait(store: LocalStore, time: Time) -> None:
    mine, other = limiter(store, time), limiter(store, time, app="b")
    ask(mine)
    waiting = ask(other)
    asyncio.run(mine.throttled(POLICIES, 30.0))
    time.now += waiting.wait
    assert ask(other, turn=waiting).wait == pytest.approx(30 - waiting.wait)
    assert mine.tally.throttled == 1


@pytest.mark.parametrize(("url", "other"), [(POLICIES, "/users"), ("/users", POLICIES)])
def test_a_429_holds_only_its_own_bucket(store: LocalStore, time: Time, url: str, other: str) -> None:
    mine = limiter(store, time)
    asyncio.run(mine.throttled(url, 30.0))
    assert ask(mine, url).wait == pytest.approx(30, abs=0.1)
    assert ask(mine, other).wait == 0


@pytest.mark.parametrize("url", [POLICIES, "/users", "/auditLogs/signIns"])
def test_a_429_without_retry_after_holds_for_a_second_at_least(store: LocalStore, time: Time, url: str) -> None:
    mine = limiter(store, time)
    asyncio.run(mine.throttled(url, None))
    assert ask(mine, url).wait == pytest.approx(1, abs=0.1)


def test_no_turn_lies_behind_the_deadline(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time)
    ask(mine)
    with pytest.raises(DeadlineExceededError):
        ask(mine, time_left=SPACING - 0.1)
    assert ask(mine, time_left=SPACING + 0.1).wait == pytest.approx(SPACING)


def test_nothing_goes_after_the_deadline(store: LocalStore, time: Time) -> None:
    with pytest.raises(DeadlineExceededError):
        ask(limiter(store, time), time_left=-0.1)


def test_a_hold_of_minutes_is_for_the_next_run(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time)
    asyncio.run(mine.throttled(POLICIES, 600.0))
    with pytest.raises(ThrottledError) as caught:
        ask(mine)
    assert caught.value.retry_after == pytest.approx(600)


def test_an_absurd_retry_after_is_no_hold_of_days(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time)
    asyncio.run(mine.throttled(POLICIES, 1e9))
    time.now += 3_600 + SPACING
    assert ask(mine).wait == 0


def test_a_large_tenant_has_more_units(store: LocalStore, time: Time) -> None:
    def wait() -> float:
        return max(ask(limiter(store, time, low=True), "/users").wait for _ in range(300))

    small = wait()
    time.now += 1000
    asyncio.run(limiter(store, time).tenant_size(501))
    assert wait() < small / 2


def test_the_tally_tells_of_the_waits(store: LocalStore, time: Time) -> None:
    mine = limiter(store, time)
    ask(mine)
    ask(mine)
    ask(mine)
    assert mine.tally.waits == 2
    assert mine.tally.seconds_waited == pytest.approx(3 * SPACING)


class Heard(LocalStore):
    """What the store was told of use."""

    def __init__(self, time: Time) -> None:
        super().__init__(monotonic=lambda: time.now)
        self.used: list[float] = []

    async def slow_down(self, draw: Draw, used: float) -> None:
        self.used.append(used)
        await super().slow_down(draw, used)


def test_use_is_told_from_four_fifths_on_and_once_a_second(time: Time) -> None:
    heard = Heard(time)
    mine = limiter(heard, time)
    for used, later in [(0.79, 0.0), (0.8, 0.0), (0.9, 0.5), (1.0, 0.6), (7.0, 1.0)]:
        time.now += later
        asyncio.run(mine.nearing("/users", used))
    assert heard.used == [0.8, 1.0, 1.8]
