"""A step's memory: the cycle collector held off while objects pile up, and what is free given back at its end."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cycle collection until the block ends; what nothing refers to any more is freed all the same.

    A step makes hundreds of thousands of values that refer to no cycle, and the collector would walk all of them
    again and again: a tenth of a run's time for 10,000 users. Blocks nest; the outermost one decides.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextmanager
def frugal() -> Iterator[None]:
    """The collector paused, and in the end what is free given back to the machine.

    The C library keeps it else: a worker that once synced 100,000 users would hold twice the memory from then on.
    """
    try:
        with collector_paused():
            yield
    finally:
        _trim()(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], object]:
    """glibc's ``malloc_trim``, under half a millisecond for a small heap; elsewhere nothing."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library, as Alpine's
            trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
            return trim
    return lambda _pad: None
