"""Where it is remembered what each bucket has granted: the protocol, and the store of a single process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

from pipeline.providers.microsoft365.throttling import pacing
from pipeline.providers.microsoft365.throttling.buckets import Limit, Pace
from pipeline.providers.microsoft365.throttling.pacing import Granted


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """``units`` of the bucket that ``key`` names. ``reserved_at`` is when a place in its queue was got, 0 for none.

    ``limit`` holds where the store knows no better one.
    """

    key: str
    units: int
    limit: Limit
    pace: Pace
    reserved_at: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """The first ``count`` draws have their place since ``at``; the last of them is due in ``wait`` seconds.

    ``refused``: the next one would have to wait ``wait`` seconds, longer than asked for, and has no place.
    """

    count: int
    wait: float
    at: float
    refused: bool = False


class PaceStore(Protocol):
    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        """Places for the draws in turn, up to the first that has to wait; none that has to wait over ``patience``.

        A place that was got before its bucket was held back is lost and got anew.
        """

    async def hold(self, draw: Draw, seconds: float) -> None:
        """Nobody draws from the bucket for so long."""

    async def nearing(self, draw: Draw, used: float) -> None:
        """Everybody draws more slowly: Microsoft says that ``used``, a share of the limit, is used."""

    async def learn(self, draw: Draw) -> None:
        """From now on the bucket has the draw's limit."""


class LocalStore:
    """What this process granted. ``share`` is the part of each limit that it may use."""

    def __init__(self, *, share: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._monotonic = monotonic
        self._granted: dict[str, Granted] = {}
        self._limits: dict[str, Limit] = {}
        self._lock = Lock()

    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        with self._lock:
            now = self._monotonic()
            for position, draw in enumerate(draws):
                granted = self._granted.get(draw.key, Granted())
                if draw.reserved_at > granted.held_at and draw.reserved_at > 0:
                    continue
                found = pacing.reserve(granted, draw.units, limit=self._limit(draw), pace=draw.pace, low=low, now=now)
                if found.wait > patience:
                    return Places(count=position, wait=found.wait, at=now, refused=True)
                self._granted[draw.key] = found.granted
                if found.wait > 0:
                    return Places(count=position + 1, wait=found.wait, at=now)
            return Places(count=len(draws), wait=0.0, at=now)

    async def hold(self, draw: Draw, seconds: float) -> None:
        with self._lock:
            granted = self._granted.get(draw.key, Granted())
            self._granted[draw.key] = pacing.hold(
                granted, seconds, limit=self._limit(draw), pace=draw.pace, now=self._monotonic()
            )

    async def nearing(self, draw: Draw, used: float) -> None:
        with self._lock:
            granted = self._granted.get(draw.key, Granted())
            self._granted[draw.key] = replace(granted, used=used, told_at=self._monotonic())

    async def learn(self, draw: Draw) -> None:
        with self._lock:
            self._limits[draw.key] = draw.limit

    def _limit(self, draw: Draw) -> Limit:
        known = self._limits.get(draw.key, draw.limit)
        return replace(known, seconds=known.seconds / self._share)
