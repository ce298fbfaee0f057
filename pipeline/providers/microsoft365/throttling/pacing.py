"""When a request may go: an even pace with a small burst, as a pure function of what was granted before.

The generic cell rate algorithm: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm. A lane's whole memory is
one moment, until which all it has granted takes at its pace. The scripts of ``redis_store`` do the same in Redis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.providers.microsoft365.throttling.buckets import Lane, Limit, Pace

NEARLY = 0.8
"""The use of a limit from which on Microsoft tells of it."""

LATE = 0.1
"""Seconds by which a request may go before the lane has room again, where there is a burst to make up for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """What a bucket remembers; moments are seconds on the store's clock.

    ``held_at`` is when it was last held back: places got until then are void. ``used`` is the share of the limit that
    Microsoft told of at ``told_at``. ``gone_until`` is ``common_until`` by when requests
    went, not by when they were due.
    """

    common_until: float = float("-inf")
    reserved_until: float = float("-inf")
    gone_until: float = float("-inf")
    held_at: float = float("-inf")
    used: float = 0.0
    told_at: float = float("-inf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A place in a bucket's queue: got at ``got_at``, to be used at ``due``."""

    got_at: float
    due: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Go in ``wait`` seconds; ``granted`` is what the bucket remembers then."""

    wait: float
    granted: Granted


def reserve(granted: Granted, units: int, *, limit: Limit, pace: Pace, low: bool, now: float) -> Place:
    """The next place in the queue. Who isn't ``low`` also has the reserved lane and takes the earlier place."""
    stretch = _stretch(granted, limit, now)
    begin = max(granted.common_until, granted.gone_until)
    until, wait = _next(begin, units * stretch, limit, pace.common, now)
    if pace.reserved is not None and wait > 0 and not low:
        other_until, other_wait = _next(granted.reserved_until, units * stretch, limit, pace.reserved, now)
        if other_wait < wait:
            return Place(wait=other_wait, granted=replace(granted, reserved_until=other_until))
    granted = replace(granted, common_until=until)
    if wait > 0:
        return Place(wait=wait, granted=granted)
    gone = max(granted.gone_until, now) + _seconds(units * stretch, limit, pace.common)
    return Place(wait=0.0, granted=replace(granted, gone_until=gone))


def redeem(granted: Granted, units: int, ticket: Ticket, *, limit: Limit, pace: Pace, now: float) -> Place | None:
    """The place that was got before; ``None`` when it is lost.

    Counted again by when requests go, for some are late, and what was granted apart must not go together. With a burst
    a request that finds no room loses its place; others went instead. Without one it waits until the request before it
    has gone for long enough, and the queue moves on by as much as it is late.
    """
    if ticket.got_at <= granted.held_at:
        return None
    own = _seconds(units * _stretch(granted, limit, now), limit, pace.common)
    early = granted.gone_until - now - max(0.0, burst_seconds(limit, pace.common) - own)
    gone = max(granted.gone_until, now) + own
    if pace.common.burst:
        return None if early > LATE else Place(wait=0.0, granted=replace(granted, gone_until=gone))
    if early > 0:
        return Place(wait=early, granted=granted)
    later = granted.common_until + max(0.0, now - ticket.due)
    return Place(wait=0.0, granted=replace(granted, gone_until=gone, common_until=later))


def hold(granted: Granted, seconds: float, *, limit: Limit, pace: Pace, now: float) -> Granted:
    """Nothing for so many seconds, then the pace without a burst."""
    end = now + seconds
    return replace(
        granted,
        common_until=max(granted.common_until, end + burst_seconds(limit, pace.common)),
        reserved_until=max(granted.reserved_until, end + burst_seconds(limit, pace.reserved)),
        held_at=now,
    )


def _next(until: float, units: float, limit: Limit, lane: Lane, now: float) -> tuple[float, float]:
    """Until when the lane's grants take with these units, and how long they have to wait."""
    own = _seconds(units, limit, lane)
    begin = max(until, now)
    return begin + own, max(0.0, begin - now - max(0.0, burst_seconds(limit, lane) - own))


def _seconds(units: float, limit: Limit, lane: Lane) -> float:
    return units * limit.seconds / (limit.units * lane.share)


def burst_seconds(limit: Limit, lane: Lane | None) -> float:
    """How long the lane takes to give out its burst at its pace."""
    return limit.seconds * lane.burst / lane.share if lane else 0.0


def _stretch(granted: Granted, limit: Limit, now: float) -> float:
    """How much slower to go: in proportion to the use Microsoft told of, fading within one window."""
    fresh = max(0.0, 1.0 - (now - granted.told_at) / limit.seconds)
    return 1.0 + max(0.0, granted.used / NEARLY - 1.0) * fresh
