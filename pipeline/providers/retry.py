"""When to try again, and how long to wait before."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Time as the client sees it; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """Seconds and counts. ``longest_wait``: a longer Retry-After ends the run, which is then tried again as a whole."""

    attempts: int = 8
    premium_attempts: int = 3
    """Tries before a tenant is taken for one without premium licence; licensed ones are told so now and then too:
    https://github.com/microsoftgraph/microsoft-graph-docs/issues/14120"""
    list_attempts: int = 3
    """Tries of a list whose page token expires."""
    first_wait: float = 0.5
    longest_backoff: float = 30.0
    longest_wait: float = 120.0

    def wait(self, attempt: int, retry_after: float | None, chance: float) -> float:
        """Seconds after failed ``attempt`` (from 0): what the server asks for, else exponential with full jitter.

        ``chance`` is a random number in [0, 1). A little is added to the server's figure so that clients that
        were throttled together don't come back together.
        """
        if retry_after is not None:
            return retry_after + chance * self.first_wait
        return chance * min(self.longest_backoff, self.first_wait * 2.0 ** (attempt + 1))


SECONDS = re.compile(r"\s*[0-9]+(\.[0-9]+)?\s*")
LONGEST_ASKED_FOR = 86_400.0
"""A day. Whoever is told to wait longer waits for the next run anyhow, and figures without bound have no date."""
REAL = Clock()
STANDARD = RetryPolicy()


def seconds_asked_for(retry_after: str | None, now: datetime | None = None) -> float | None:
    """A Retry-After header, seconds or a date, in seconds up to a day; ``None`` when there is none that makes sense.

    Microsoft gives fractions of seconds too: https://learn.microsoft.com/graph/throttling
    """
    if not retry_after:
        return None
    try:
        if SECONDS.fullmatch(retry_after):
            return min(LONGEST_ASKED_FOR, float(retry_after))
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(LONGEST_ASKED_FOR, max(0.0, (aware - (now or datetime.now(UTC))).total_seconds()))
