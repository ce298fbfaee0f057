"""Sleeping that takes no time."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.providers.retry import Clock


@dataclass
class Time:
    """A clock that only sleeping moves on; chance is always one half."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, sleep=self.sleep, random=lambda: 0.5)
