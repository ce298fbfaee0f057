"""The limiter of one application in one tenant, over a store that all processes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from pipeline.errors import DeadlineExceededError, ThrottledError
from pipeline.providers.microsoft365.retry import REAL, Clock
from pipeline.providers.microsoft365.throttling.buckets import Bucket, Limit, Scope, identity_limit
from pipeline.providers.microsoft365.throttling.costs import Charge, bucket_of
from pipeline.providers.microsoft365.throttling.store import Draw, PaceStore

log = structlog.get_logger(__name__)

LONGEST_WAIT = 120.0
"""Seconds; a longer wait ends the run, which is then tried again as a whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a limiter did: requests that waited, the seconds they waited together, and 429 all the same."""

    waits: int = 0
    seconds_waited: float = 0.0
    throttled: int = 0


class Limiter:
    """Admits requests. ``low`` ones leave room for the others."""

    def __init__(self, store: PaceStore, *, app: str, tenant: str, low: bool = False, clock: Clock = REAL) -> None:
        self._store = store
        self._keys = {
            Scope.APP_AND_TENANT: f"{app}:{tenant}",
            Scope.TENANT: tenant,
            Scope.APP: app,
        }
        self._low = low
        self._clock = clock
        self.tally = Tally()

    async def acquire(self, charges: Sequence[Charge], *, time_left: float) -> None:
        """Returns when a request of these charges may go.

        Raises ``DeadlineExceededError`` where that is after ``time_left`` seconds, ``ThrottledError`` where it would
        block a worker for minutes.
        """
        draws = [self._draw(charge.bucket, units=charge.units) for charge in charges]
        waited = 0.0
        while True:
            patience = min(LONGEST_WAIT, time_left) - waited
            places = await self._store.reserve(draws, patience=patience, low=self._low)
            if places.refused:
                raise _refusal(places.wait, time_left - waited)
            if places.wait <= 0:
                break
            draws[: places.count] = [replace(draw, reserved_at=places.at) for draw in draws[: places.count]]
            await self._clock.sleep(places.wait)
            waited += places.wait
        if waited:
            self.tally = replace(
                self.tally, waits=self.tally.waits + 1, seconds_waited=self.tally.seconds_waited + waited
            )

    async def throttled(self, url: str, retry_after: float | None) -> None:
        """A request met 429: hold its bucket back for everybody, at least for the limit's own second."""
        self.tally = replace(self.tally, throttled=self.tally.throttled + 1)
        draw = self._draw(bucket_of(url))
        seconds = draw.limit.seconds if retry_after is None else retry_after
        log.info("graph_bucket_held", bucket=bucket_of(url).label, seconds=round(seconds, 3))
        await self._store.hold(draw, seconds)

    async def nearing(self, url: str, used: float) -> None:
        """Microsoft says how much of the limit is used."""
        await self._store.nearing(self._draw(bucket_of(url)), used)

    async def tenant_size(self, users: int) -> None:
        """Tell how many users the tenant has, of which its limit depends."""
        await self._store.learn(self._draw(Bucket.IDENTITY, limit=identity_limit(users)))

    def _draw(self, bucket: Bucket, *, units: int = 0, limit: Limit | None = None) -> Draw:
        key = f"graph:pace:{bucket.label}:{self._keys[bucket.scope]}"
        return Draw(key=key, units=units, limit=limit or bucket.limit, pace=bucket.pace)


def _refusal(wait: float, time_left: float) -> DeadlineExceededError | ThrottledError:
    if wait > time_left:
        return DeadlineExceededError("the run's time would be up before Microsoft's limits let it go on")
    return ThrottledError("Microsoft's limits leave no room for this application now", retry_after=wait)
