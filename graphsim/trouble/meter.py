"""How much of a limit is used, exactly and over any sliding window: one ruler for throttling and for those who check.

Memory is bounded: single requests are kept for one window, counts per tenth of a second for two minutes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from graphsim.trouble.limits import Limit

SLOT_SECONDS = 0.1
KEPT_SECONDS = 120


@dataclass(kw_only=True, slots=True)
class Window:
    """The units of the last ``seconds``. Times are seconds on one clock and do not go back."""

    seconds: float
    events: deque[tuple[float, int]] = field(default_factory=deque)
    total: int = 0

    def at(self, now: float) -> int:
        """The units after ``now - seconds``, up to and including ``now``."""
        while self.events and self.events[0][0] <= now - self.seconds:
            self.total -= self.events.popleft()[1]
        return self.total

    def add(self, now: float, units: int) -> int:
        """The units in the window with these."""
        self.events.append((now, units))
        self.total += units
        return self.at(now)

    def wait(self, now: float, units: int) -> float:
        """Seconds until no more than ``units`` are left in the window."""
        left, freed = self.at(now), now
        for moment, gone in self.events:
            if left <= units:
                break
            left, freed = left - gone, moment + self.seconds
        return freed - now


@dataclass(kw_only=True, slots=True)
class Slot:
    """A tenth of a second. ``peak`` and ``demand_peak`` are the fullest windows that end in it."""

    number: int
    requests: int = 0
    units: int = 0
    throttled: int = 0
    peak: int = 0
    demand_peak: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the last ``span`` seconds brought.

    ``units`` and ``peak_units`` (the most in any sliding window) count what was answered, ``peak_demand`` also what
    was throttled. ``mean_share`` is the units as a share of what the limit allows in ``span``.
    """

    span: float
    limit: int
    window: float
    requests: int
    units: int
    throttled: int
    peak_units: int
    peak_demand: int
    mean_share: float


@dataclass(kw_only=True, slots=True)
class Gauge:
    """The use of one limit."""

    granted: Window
    asked: Window
    urgent: Window
    """What came with more than low priority."""
    slots: deque[Slot] = field(default_factory=deque)
    latest: float = -math.inf

    def tick(self, now: float) -> float:
        """``now``, or the latest moment seen if the clock was put back."""
        self.latest = max(self.latest, now)
        return self.latest

    def record(self, now: float, units: int, *, throttled: bool, low: bool) -> None:
        moment = self.tick(now)
        slot = self._slot(moment)
        slot.requests += 1
        slot.throttled += throttled
        slot.demand_peak = max(slot.demand_peak, self.asked.add(moment, units))
        if not low:
            self.urgent.add(moment, units)
        if not throttled:
            slot.units += units
            slot.peak = max(slot.peak, self.granted.add(moment, units))

    def read(self, now: float, span: float, limit: Limit) -> Reading:
        """The last ``span`` seconds, at most those kept; a begun tenth counts as a whole."""
        moment = self.tick(now)
        seconds = min(span, KEPT_SECONDS)
        first = _number(moment - seconds)
        slots = [slot for slot in tuple(self.slots) if slot.number >= first]
        units = sum(slot.units for slot in slots)
        return Reading(
            span=seconds,
            limit=limit.units,
            window=limit.seconds,
            requests=sum(slot.requests for slot in slots),
            units=units,
            throttled=sum(slot.throttled for slot in slots),
            peak_units=max((slot.peak for slot in slots), default=0),
            peak_demand=max((slot.demand_peak for slot in slots), default=0),
            mean_share=units * limit.seconds / (limit.units * seconds),
        )

    def _slot(self, moment: float) -> Slot:
        number = _number(moment)
        if not self.slots or self.slots[-1].number != number:
            self.slots.append(Slot(number=number))
        while self.slots[0].number < number - KEPT_SECONDS / SLOT_SECONDS:
            self.slots.popleft()
        return self.slots[-1]


def gauge(limit: Limit) -> Gauge:
    """A gauge that has seen nothing."""
    granted, asked, urgent = (Window(seconds=limit.seconds) for _ in range(3))
    return Gauge(granted=granted, asked=asked, urgent=urgent)


def _number(moment: float) -> int:
    return math.floor(moment / SLOT_SECONDS)
