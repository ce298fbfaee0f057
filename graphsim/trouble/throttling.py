"""Who is let through: every request is metered, and refused beyond the limits when they are enforced.

https://learn.microsoft.com/graph/throttling and the page that ``limits`` names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphsim.protocol.errors import GraphError
from graphsim.protocol.exchange import GraphRequest
from graphsim.trouble.limits import LOW_SHARE, WARN_FROM, WARN_TO, Bucket, Limit, bucket_of, cost_of, limit_of
from graphsim.trouble.meter import Gauge, Reading, gauge
from graphsim.world.state import TenantState

_EVERYBODY = -1  # the application's gauge is of no tenant


@dataclass(kw_only=True, slots=True)
class Throttle:
    """The gauges of all tenants. ``factor`` scales the resource units: 0.01 leaves a large tenant 80 in 10 s.

    All tenants count as customers of one application.
    """

    enforced: bool = False
    factor: float = 1.0
    gauges: dict[tuple[int, Bucket], Gauge] = field(default_factory=dict)

    def admit(self, state: TenantState, request: GraphRequest, now: float) -> Mapping[str, str]:
        """The headers that go with the answer, or the 429 as ``GraphError``."""
        low = request.headers.get("x-ms-throttle-priority", "").lower() == "low"
        bucket, cost = bucket_of(request), cost_of(request)
        asked = ((Bucket.APPLICATION, 1), (bucket, cost))
        full = next((each for each, units in asked if self._is_full(state, each, units, now, low=low)), None)
        for each, units in asked:
            self._gauge(state, each).record(now, units, throttled=full is not None, low=low)
        if full is not None:
            raise self._refusal(state, request, full, cost if full is bucket else 1, now)
        return self._headers(state, cost, now) if bucket is Bucket.IDENTITY else {}

    def readings(self, state: TenantState, now: float, span: float) -> dict[Bucket, Reading]:
        """What the gauges of a tenant show, and that of the application."""
        return {bucket: self._gauge(state, bucket).read(now, span, self._limit(state, bucket)) for bucket in Bucket}

    def _is_full(self, state: TenantState, bucket: Bucket, units: int, now: float, *, low: bool) -> bool:
        if not self.enforced:
            return False
        found = self._gauge(state, bucket)
        moment = found.tick(now)
        room = self._limit(state, bucket).units
        if low and found.urgent.at(moment):
            room = math.floor(room * LOW_SHARE)
        return found.granted.at(moment) + units > max(room, units)

    def _refusal(self, state: TenantState, request: GraphRequest, bucket: Bucket, units: int, now: float) -> GraphError:
        headers = {"x-ms-throttle-scope": _scope(state, request, bucket)}
        found, limit = self._gauge(state, bucket), self._limit(state, bucket)
        if bucket is Bucket.IDENTITY:
            headers["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
            headers["x-ms-resource-unit"] = str(units)
            headers["x-ms-throttle-limit-percentage"] = _percentage(found, limit, now)
        if bucket is not Bucket.CONDITIONAL_ACCESS:
            wait = found.granted.wait(found.tick(now), max(0, limit.units - units))
            headers["Retry-After"] = str(max(1, math.ceil(wait)))
        return GraphError(429, "TooManyRequests", "Too many requests.", headers)

    def _headers(self, state: TenantState, cost: int, now: float) -> Mapping[str, str]:
        headers = {"x-ms-resource-unit": str(cost)}
        found, limit = self._gauge(state, Bucket.IDENTITY), self._limit(state, Bucket.IDENTITY)
        if self.enforced and found.granted.at(found.tick(now)) >= WARN_FROM * limit.units:
            headers["x-ms-throttle-limit-percentage"] = _percentage(found, limit, now)
        return headers

    def _gauge(self, state: TenantState, bucket: Bucket) -> Gauge:
        place = (_EVERYBODY if bucket is Bucket.APPLICATION else state.tenant.index, bucket)
        if place not in self.gauges:
            self.gauges[place] = gauge(self._limit(state, bucket))
        return self.gauges[place]

    def _limit(self, state: TenantState, bucket: Bucket) -> Limit:
        return limit_of(bucket, users=state.user_count, factor=self.factor)


def _percentage(found: Gauge, limit: Limit, now: float) -> str:
    """The share of the limit that is used; beyond 1, the share of what was asked that was throttled."""
    moment = found.tick(now)
    granted, asked = found.granted.at(moment), found.asked.at(moment)
    use = 1 + (asked - granted) / asked if asked > granted else granted / limit.units
    return f"{min(WARN_TO, max(WARN_FROM, use)):.2f}"


def _scope(state: TenantState, request: GraphRequest, bucket: Bucket) -> str:
    scopes = {Bucket.APPLICATION: "Application", Bucket.CONDITIONAL_ACCESS: "Tenant"}
    limit = "Read" if request.method == "GET" else "Write"
    kind = "ReadWrite" if bucket is not Bucket.REPORTS else limit
    return f"{scopes.get(bucket, 'Tenant_Application')}/{kind}/{state.tenant.client_id}/{state.tenant.id}"
