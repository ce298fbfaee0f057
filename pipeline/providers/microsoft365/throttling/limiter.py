"""The limiter of one application in one tenant, over a store that all processes share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import structlog

from pipeline.errors import DeadlineExceededError, ThrottledError
from pipeline.providers.microsoft365.throttling.buckets import Bucket, Limit, Scope, identity_limit
from pipeline.providers.microsoft365.throttling.costs import bucket_of, charges
from pipeline.providers.microsoft365.throttling.pacing import NEARLY, Ticket
from pipeline.providers.microsoft365.throttling.store import Draw, PaceStore, Places
from pipeline.providers.retry import REAL, Clock

log = structlog.get_logger(__name__)

LONGEST_WAIT = 120.0
"""Seconds; a longer wait ends the run, which is then tried again as a whole."""

LEAST_HOLD, LONGEST_HOLD = 1.0, 3600.0
"""Seconds a bucket is held back after 429: without Retry-After, and whatever it says."""

HIGHEST_USE = 1.8
"""https://learn.microsoft.com/graph/throttling-limits tells uses from 0.8 to 1.8."""

TELL_EVERY = 1.0
"""Seconds; at its limit a tenant's every answer tells of its use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a limiter did: how often requests waited, the seconds of all these waits, and 429s all the same."""

    waits: int = 0
    seconds_waited: float = 0.0
    throttled: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A request's draws on its buckets. It may go when ``wait`` is 0, and else asks again after so many seconds."""

    draws: tuple[Draw, ...]
    wait: float = 0.0


class Limiter:
    """Admits requests. ``low`` ones leave room for the others."""

    def __init__(self, store: PaceStore, *, app: str, tenant: str, low: bool = False, clock: Clock = REAL) -> None:
        self._store = store
        self._owners = {Scope.APP_AND_TENANT: f"{app}:{tenant}", Scope.TENANT: tenant, Scope.APP: app}
        self._low = low
        self._clock = clock
        self._told: dict[Bucket, float] = {}
        self.tally = Tally()

    def turn(self, urls: Iterable[str]) -> Turn:
        """What a request costs, or the requests within a batch together."""
        return Turn(draws=tuple(self._draw(charge.bucket, charge.units) for charge in charges(urls)))

    async def admit(self, turn: Turn, *, time_left: float) -> Turn:
        """The turn with places in the queues; ask again with it after its ``wait``, until that is 0.

        Raises ``DeadlineExceededError`` where a wait is longer than ``time_left``, and ``ThrottledError`` where it
        would block a worker for minutes.
        """
        places = await self._store.reserve(turn.draws, patience=min(LONGEST_WAIT, time_left), low=self._low)
        if places.refused:
            raise _refusal(places.wait, time_left)
        if places.wait > 0:
            self.tally = replace(
                self.tally, waits=self.tally.waits + 1, seconds_waited=self.tally.seconds_waited + places.wait
            )
        return Turn(draws=_with_tickets(turn.draws, places), wait=places.wait)

    async def throttled(self, url: str, retry_after: float | None) -> None:
        """A request met 429: its bucket is held back for everybody."""
        self.tally = replace(self.tally, throttled=self.tally.throttled + 1)
        bucket = bucket_of(url)
        seconds = LEAST_HOLD if retry_after is None else min(retry_after, LONGEST_HOLD)
        log.info("graph_bucket_held", bucket=bucket.label, hold_ms=round(seconds * 1000))
        await self._store.hold(self._draw(bucket), seconds)

    async def nearing(self, url: str, used: float) -> None:
        """Microsoft says which share of the limit is used; from ``NEARLY`` on everybody slows down."""
        bucket, now = bucket_of(url), self._clock.monotonic()
        if used >= NEARLY and now >= self._told.get(bucket, float("-inf")) + TELL_EVERY:
            self._told[bucket] = now
            await self._store.slow_down(self._draw(bucket), min(used, HIGHEST_USE))

    async def tenant_size(self, users: int) -> None:
        """How many users the tenant has: its limit of resource units depends on it."""
        await self._store.learn(self._draw(Bucket.IDENTITY, limit=identity_limit(users)))

    def _draw(self, bucket: Bucket, units: int = 0, limit: Limit | None = None) -> Draw:
        key = f"graph:pace:{bucket.label}:{self._owners[bucket.scope]}"
        return Draw(key=key, units=units, limit=limit or bucket.limit, pace=bucket.pace)


def _with_tickets(draws: tuple[Draw, ...], places: Places) -> tuple[Draw, ...]:
    got = Ticket(got_at=places.at, due=places.at + places.wait)
    return (*(replace(draw, ticket=got) for draw in draws[: places.count]), *draws[places.count :])


def _refusal(wait: float, time_left: float) -> DeadlineExceededError | ThrottledError:
    if wait > time_left:
        return DeadlineExceededError("the run's time would be up before Microsoft's limits leave room again")
    return ThrottledError("Microsoft's limits leave no room for this application now", retry_after=wait)
