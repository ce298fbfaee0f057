"""Where it is remembered what each bucket has granted: the protocol, and the store of a process that is alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

from pipeline.providers.microsoft365.throttling import pacing
from pipeline.providers.microsoft365.throttling.buckets import Limit, Pace
from pipeline.providers.microsoft365.throttling.pacing import Granted, Place, Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """``units`` of the bucket that ``key`` names; ``limit`` holds where the store knows no better one."""

    key: str
    units: int
    limit: Limit
    pace: Pace
    ticket: Ticket | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """The first ``count`` draws have their place since ``at``; the last of them is due in ``wait`` seconds.

    ``refused``: the next draw would have to wait ``wait`` seconds, longer than it is ready to, and has no place.
    """

    count: int
    wait: float
    at: float
    refused: bool = False


class PaceStore(Protocol):
    """Raises ``ServerUnavailableError`` where what is remembered cannot be reached."""

    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        """Places for the draws in turn, up to the first that has to wait; none that has to wait over ``patience``.

        A ticket is lost when its bucket was held back since, or when it is used late where that matters; its draw gets
        a new place.
        """

    async def hold(self, draw: Draw, seconds: float) -> None:
        """Nobody draws from the bucket for so long."""

    async def slow_down(self, draw: Draw, used: float) -> None:
        """Everybody draws more slowly for a while: Microsoft says that ``used``, a share of the limit, is used."""

    async def learn(self, draw: Draw) -> None:
        """From now on the bucket has the draw's limit."""


class LocalStore:
    """What this process granted. Where there may be ``others`` it draws the part of each limit that its pace leaves to
    a process that cannot ask them, else all of it.
    """

    def __init__(self, *, others: bool = True, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._others = others
        self._monotonic = monotonic
        self._granted: dict[str, Granted] = {}
        self._limits: dict[str, Limit] = {}
        self._lock = Lock()

    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        with self._lock:
            now = self._monotonic()
            for position, draw in enumerate(draws):
                place = self._place(draw, now, low=low)
                if place.wait > patience:
                    return Places(count=position, wait=place.wait, at=now, refused=True)
                self._granted[draw.key] = place.granted
                if place.wait > 0:
                    return Places(count=position + 1, wait=place.wait, at=now)
            return Places(count=len(draws), wait=0.0, at=now)

    async def hold(self, draw: Draw, seconds: float) -> None:
        with self._lock:
            granted = self._granted.get(draw.key, Granted())
            self._granted[draw.key] = pacing.hold(
                granted, seconds, limit=self._limit(draw), pace=draw.pace, now=self._monotonic()
            )

    async def slow_down(self, draw: Draw, used: float) -> None:
        with self._lock:
            granted = self._granted.get(draw.key, Granted())
            self._granted[draw.key] = replace(granted, used=used, told_at=self._monotonic())

    async def learn(self, draw: Draw) -> None:
        with self._lock:
            self._limits[draw.key] = draw.limit

    def _place(self, draw: Draw, now: float, *, low: bool) -> Place:
        granted, limit = self._granted.get(draw.key, Granted()), self._limit(draw)
        if draw.ticket is not None:
            kept = pacing.redeem(granted, draw.units, draw.ticket, limit=limit, pace=draw.pace, now=now)
            if kept is not None:
                return kept
        return pacing.reserve(granted, draw.units, limit=limit, pace=draw.pace, low=low, now=now)

    def _limit(self, draw: Draw) -> Limit:
        known = self._limits.get(draw.key, draw.limit)
        return replace(known, seconds=known.seconds / draw.pace.alone) if self._others else known
