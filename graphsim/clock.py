"""What time it is: for tokens and deadlines, and in the simulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldClock:
    """``source`` gives seconds since 1970. The world's dates are ``ahead`` seconds later than that."""

    source: Callable[[], float]
    ahead: float = 0.0

    def seconds(self) -> float:
        """The time that tokens, links and subscriptions live by: the one clients have too."""
        return self.source()

    def moment(self) -> datetime:
        """When something happens in the world (aware, UTC): today as ``SimulatorConfig.now`` has it."""
        return datetime.fromtimestamp(self.source() + self.ahead, UTC)


def clock_from(source: Callable[[], float], now: datetime | None) -> WorldClock:
    """A clock whose world is at ``now``, the present when it is ``None``, and goes on from there."""
    return WorldClock(source=source, ahead=now.timestamp() - source() if now else 0.0)
