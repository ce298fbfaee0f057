"""When a request may go: an even pace with a small burst, as a pure function of what was granted before.

The generic cell rate algorithm: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm. A lane's whole memory is
one moment, at which all it has granted would have been granted at its pace. ``redis_store`` does the same in Redis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.providers.microsoft365.throttling.buckets import Lane, Limit, Pace

NEARLY = 0.8
"""Microsoft tells of the use of a limit from here on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a bucket remembers; moments are seconds on the store's clock.

    ``held_at`` is when Microsoft last held the bucket back: what was reserved until then is void. ``used`` is the
    share of the limit that Microsoft told of at ``told_at``.
    """

    common_until: float = 0.0
    reserved_until: float = 0.0
    held_at: float = -1.0
    used: float = 0.0
    told_at: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reserved:
    """Go in ``wait`` seconds; ``granted`` is what the bucket remembers then."""

    wait: float
    granted: Granted


def reserve(granted: Granted, units: int, *, limit: Limit, pace: Pace, low: bool, now: float) -> Reserved:
    """The next place in the queue. Who isn't ``low`` also has the reserved lane and takes the earlier place."""
    stretch = _stretch(granted, limit, now)
    until = _place(granted.common_until, units, limit, pace.common, stretch, now)
    wait = _wait(until, units, limit, pace.common, stretch, now)
    if pace.reserved is not None and not low and wait > 0:
        other = _place(granted.reserved_until, units, limit, pace.reserved, stretch, now)
        other_wait = _wait(other, units, limit, pace.reserved, stretch, now)
        if other_wait < wait:
            return Reserved(wait=other_wait, granted=replace(granted, reserved_until=other))
    return Reserved(wait=wait, granted=replace(granted, common_until=until))


def hold(granted: Granted, seconds: float, *, limit: Limit, pace: Pace, now: float) -> Granted:
    """Nothing for so many seconds, then the pace without a burst."""
    return replace(
        granted,
        common_until=max(granted.common_until, now + seconds + _burst_seconds(limit, pace.common)),
        reserved_until=max(granted.reserved_until, now + seconds + _burst_seconds(limit, pace.reserved)),
        held_at=now,
    )


def _place(until: float, units: int, limit: Limit, lane: Lane, stretch: float, now: float) -> float:
    return max(until, now) + units * stretch * _seconds_per_unit(limit, lane)


def _wait(until: float, units: int, limit: Limit, lane: Lane, stretch: float, now: float) -> float:
    own = units * stretch * _seconds_per_unit(limit, lane)
    return max(0.0, until - max(own, _burst_seconds(limit, lane)) - now)


def _seconds_per_unit(limit: Limit, lane: Lane) -> float:
    return limit.seconds / (limit.units * lane.share)


def _burst_seconds(limit: Limit, lane: Lane | None) -> float:
    """The time in which the lane gives out its burst."""
    return limit.seconds * lane.burst / lane.share if lane else 0.0


def _stretch(granted: Granted, limit: Limit, now: float) -> float:
    """How much slower to go: in proportion to the use Microsoft told of, fading within one window."""
    fresh = max(0.0, 1.0 - (now - granted.told_at) / limit.seconds)
    return 1.0 + max(0.0, granted.used / NEARLY - 1.0) * fresh
