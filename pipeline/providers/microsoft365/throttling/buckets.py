"""The buckets of Microsoft's limits, and the pace at which we draw from them.

Figures may change: https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Scope(Enum):
    """Who shares a bucket."""

    APP_AND_TENANT = auto()
    TENANT = auto()
    """All applications of a tenant; of them we see our own."""
    APP = auto()
    """All tenants of an application."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """``units`` in any ``seconds``."""

    units: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A part of a limit that is granted at an even pace.

    ``share`` of the limit is given out steadily; ``burst``, a share of it too, may be given at once after quiet.
    In any window of the limit's length a lane grants at most ``share + burst`` of the limit, or a single request.
    """

    share: float
    burst: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """The lanes of a bucket. Everybody draws from ``common``; whoever is not scheduled also from ``reserved``.

    What the lanes leave of the limit makes up for requests that are granted apart and arrive together. A process that
    can't ask what the others do draws ``alone``, a share of it all.
    """

    common: Lane
    reserved: Lane | None = None
    alone: float = 0.25


class Bucket(Enum):
    """A limit's name, who shares it, what it is when nothing else is known, and our pace.

    A bucket of few requests has one lane: two lanes could grant at the same moment.
    """

    IDENTITY = (
        "identity",
        Scope.APP_AND_TENANT,
        Limit(units=3_500, seconds=10.0),
        Pace(common=Lane(share=0.86, burst=0.03), reserved=Lane(share=0.04, burst=0.01)),
    )
    """Identity and access, counted in resource units; the limit of the smallest tenants, see ``identity_limit``."""

    REPORTS = ("reports", Scope.APP_AND_TENANT, Limit(units=5, seconds=10.0), Pace(common=Lane(share=0.9), alone=0.5))
    """Sign-ins, audits and the reports of authentication methods, counted in requests."""

    PROTECTION = ("protection", Scope.TENANT, Limit(units=1, seconds=1.0), Pace(common=Lane(share=0.88), alone=0.5))
    """Conditional access, named locations and risk, counted in requests. Its 429 carries no Retry-After."""

    APPLICATION = (
        "application",
        Scope.APP,
        Limit(units=2_000, seconds=1.0),
        Pace(common=Lane(share=0.82, burst=0.02), reserved=Lane(share=0.04, burst=0.01)),
    )
    """Every request of an application, over all tenants."""

    def __init__(self, label: str, scope: Scope, limit: Limit, pace: Pace) -> None:
        self.label = label
        self.scope = scope
        self.limit = limit
        self.pace = pace


MEDIUM_FROM, LARGE_ABOVE = 50, 500


def identity_limit(users: int) -> Limit:
    """The limit of ``Bucket.IDENTITY`` by the size of the tenant."""
    if users < MEDIUM_FROM:
        return Limit(units=3_500, seconds=10.0)
    return Limit(units=5_000 if users <= LARGE_ABOVE else 8_000, seconds=10.0)
