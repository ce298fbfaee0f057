"""Taking times: two things in turn, so that what else the machine does falls on both."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Work = Callable[[], object]
"""What is measured."""

Prepare = Callable[[], Work]
"""Brings everything into its starting state, untimed, and gives the work to be timed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paired:
    """Seconds of both sides, repetition by repetition."""

    measured: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the ratios within one repetition: a slow moment of the machine slows both sides of it."""
        return median(one / other for one, other in zip(self.measured, self.floor, strict=True))


def seconds_of(prepare: Prepare) -> float:
    """Wall time of the prepared work.

    Garbage of the preparation is collected before, and what a benchmark holds (pages, rows) is put out of the
    collector's sight: walking it would be charged to whichever side runs.
    """
    work = prepare()
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    try:
        work()
        return time.perf_counter() - begun
    finally:
        gc.unfreeze()


def alternate(measured: Prepare, floor: Prepare, *, repetitions: int) -> Paired:
    """Both sides in turn, after one untimed round of each."""
    seconds_of(measured)
    seconds_of(floor)
    pairs = [(seconds_of(measured), seconds_of(floor)) for _ in range(repetitions)]
    return Paired(measured=tuple(pair[0] for pair in pairs), floor=tuple(pair[1] for pair in pairs))


def repeat(prepare: Prepare, *, repetitions: int) -> float:
    """Median seconds, after one untimed round."""
    seconds_of(prepare)
    return median(seconds_of(prepare) for _ in range(repetitions))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
