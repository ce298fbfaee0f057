"""How Graph treats those it notifies: patience, back-off, and what happens to slow ones.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

HANDSHAKE_SECONDS = 10.0
ANSWER_SECONDS = 3.0
SLOW_SECONDS = 2.9
RETRIED_SECONDS = 4 * 3600.0
PENALTY_SECONDS = 600.0
_WINDOW_SECONDS = 600.0
_JUDGED_FROM = 100
_THROTTLED_SHARE = 0.10
_DROPPED_SHARE = 0.15
_FIRST_RETRY = 10.0
_LONGEST_PAUSE = 1800.0


class Standing(StrEnum):
    """What an endpoint's answers have earned it."""

    GOOD = "good"
    THROTTLED = "throttled"
    """Told ten minutes later."""
    DROPPED = "dropped"
    """Told nothing, until the window of ten minutes is over."""


@dataclass(kw_only=True, slots=True)
class Endpoint:
    """The answers of one address since ``since``, and how many notifications wait for it."""

    since: float
    answers: int = 0
    slow: int = 0
    waiting: int = 0

    def record(self, seconds: float, at: float) -> None:
        """Counts an answer that took so long, or was given up after it."""
        self._flush(at)
        self.answers += 1
        self.slow += seconds > SLOW_SECONDS

    def standing(self, at: float) -> Standing:
        self._flush(at)
        if self.answers < _JUDGED_FROM or self.slow < _THROTTLED_SHARE * self.answers:
            return Standing.GOOD
        return Standing.DROPPED if self.slow >= _DROPPED_SHARE * self.answers else Standing.THROTTLED

    def _flush(self, at: float) -> None:
        if at >= self.since + _WINDOW_SECONDS:
            self.since, self.answers, self.slow = at, 0, 0


def pauses() -> Iterator[float]:
    """The seconds before each retry: doubled every time, four hours in all."""
    spent, pause = 0.0, _FIRST_RETRY
    while spent + pause <= RETRIED_SECONDS:
        yield pause
        spent += pause
        pause = min(_LONGEST_PAUSE, pause * 2)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
