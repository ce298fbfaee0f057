"""The meter measures true sliding windows and forgets what is old."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graphsim.trouble.limits import Limit
from graphsim.trouble.meter import KEPT_SECONDS, SLOT_SECONDS, Window, gauge

LIMIT = Limit(units=100, seconds=10)
ARRIVALS = st.lists(st.tuples(st.floats(0, 3), st.integers(1, 9)), min_size=1, max_size=60)


def moments(gaps: list[tuple[float, int]]) -> list[tuple[float, int]]:
    now, found = 1_000.0, []
    for gap, units in gaps:
        now += gap
        found.append((now, units))
    return found


@given(ARRIVALS)
def test_the_peak_is_the_fullest_of_all_sliding_windows(gaps: list[tuple[float, int]]) -> None:
    seen, arrivals = gauge(LIMIT), moments(gaps)
    for now, units in arrivals:
        seen.record(now, units, throttled=False, low=False)

    expected = max(sum(units for at, units in arrivals if end - 10 < at <= end) for end, _ in arrivals)

    last = arrivals[-1][0]
    whole = last - 1_000.0 + SLOT_SECONDS
    reading = seen.read(last, KEPT_SECONDS, LIMIT)
    assert whole > KEPT_SECONDS or reading.peak_units == reading.peak_demand == expected


@given(ARRIVALS, st.integers(0, 60))
def test_the_wait_is_as_long_as_it_takes_for_room(gaps: list[tuple[float, int]], room: int) -> None:
    window = Window(seconds=10)
    arrivals = moments(gaps)
    for at, units in arrivals:
        window.add(at, units)
    now = arrivals[-1][0]

    wait = window.wait(now, room)

    assert window.at(now) <= room if wait == 0 else window.at(now + wait * 0.999) > room
    assert window.at(now + wait + 1e-6) <= room


def test_a_reading_counts_the_span_and_its_share_of_the_limit() -> None:
    seen = gauge(LIMIT)
    for second in range(60):
        seen.record(1_000.0 + second, 8, throttled=False, low=False)
    seen.record(1_060.0, 8, throttled=True, low=False)

    reading = seen.read(1_060.0, 30, LIMIT)

    assert (reading.requests, reading.units, reading.throttled) == (31, 240, 1)
    assert (reading.peak_units, reading.peak_demand, reading.mean_share) == (80, 80, 0.8)


def test_memory_is_bounded_by_the_window_and_two_minutes() -> None:
    seen = gauge(LIMIT)
    for tenth in range(100_000):
        seen.record(tenth * 0.05, 1, throttled=False, low=True)

    assert len(seen.granted.events) == len(seen.asked.events) == 200
    assert len(seen.slots) <= KEPT_SECONDS / SLOT_SECONDS + 1
    assert not seen.urgent.events


def test_a_clock_put_back_moves_nothing_back() -> None:
    seen = gauge(LIMIT)
    seen.record(1_000.0, 5, throttled=False, low=False)
    seen.record(500.0, 5, throttled=False, low=False)

    assert seen.read(500.0, 1, LIMIT).peak_units == 10
