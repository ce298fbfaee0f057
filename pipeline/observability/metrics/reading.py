"""One reading of the ledger: everything a scrape shows of it, from one snapshot and a constant number of statements."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline.errors import TransientError
from pipeline.observability.metrics import totals
from pipeline.settings import Settings
from pipeline.storage import figures
from pipeline.storage.database import Database
from pipeline.storage.figures import AlertKind, Amount, Lateness, StepKind

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of durations in seconds; 120 is what the alert rule on the analysis asks for."""
JUST_ABOVE = tuple(math.nextafter(bound, math.inf) for bound in BOUNDS)
"""A duration equal to a bound belongs to it, where PostgreSQL's buckets leave their upper end out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The ledger in numbers. Steps and alerts only grow, see ``totals``."""

    steps: Mapping[StepKind, Amount]
    alerts: Mapping[AlertKind, Amount]
    findings: Mapping[tuple[str, ...], int]
    late: Mapping[str, Lateness]
    last_run_ms: float | None
    running: int
    outbox_waiting: int
    outbox_seconds: float
    """How long the oldest unpublished event has waited."""
    subscriptions: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    """(resource, ``standing`` or ``failing``) → subscriptions to change notifications."""
    notifications: Mapping[tuple[str, ...], Amount] = field(default_factory=dict)
    """(resource,) → notifications taken; they only grow, though a row leaves with its subscription."""


class LedgerReader:
    """Reads the ledger again and again, and remembers what it has counted. One thread at a time."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._kept = timedelta(days=settings.run_retention_days)
        # Longer than a step's transaction may last, twice over: what is older than this has committed or never will.
        self._settles_after = 2 * timedelta(milliseconds=settings.job_timeout_ms) + timedelta(minutes=5)
        self._window: totals.Window | None = None
        self._too_much = False
        self._steps: totals.Growing[StepKind] = totals.Growing(from_zero=False)
        self._alerts: totals.Growing[AlertKind] = totals.Growing(from_zero=False)
        self._notifications: totals.Growing[tuple[str, ...]] = totals.Growing(from_zero=False)
        self._last_run_ms: float | None = None

    def read(self) -> Reading:
        """The figures of this moment; raises ``TransientError`` when PostgreSQL does not give them."""
        try:
            with self._database.begin() as connection:
                figures.begin_reading(connection)
                return self._read(connection)
        except TransientError as error:
            # The whole ledger was too much to count at once; from zero, then, as with an old one.
            self._too_much = self._too_much or (self._window is None and figures.ran_out_of_time(error))
            raise

    def _read(self, connection: Connection) -> Reading:
        now = self._clock()
        standing = figures.standing(connection)
        begun = self._window or self._begin(connection, now)
        window = totals.settle(
            begun,
            now,
            oldest_running=standing.oldest_running,
            newest_alert=standing.last_alert_change,
            settles_after=self._settles_after,
        )
        steps = figures.ended_steps(connection, window.runs_since, window.runs_until, JUST_ABOVE)
        alerts = figures.alert_changes(connection, window.alerts_since, window.alerts_until)
        findings = figures.findings_as_they_stand(connection)
        late = figures.late_schedules(connection, now)
        subscribed = figures.subscriptions_as_they_stand(connection, now)
        last_run_ms = figures.last_run_ms(connection, window.runs_since)
        # From here on nothing can fail: what was read is counted, and is not looked at again.
        self._window = totals.after(window)
        self._last_run_ms = self._last_run_ms if last_run_ms is None else last_run_ms
        oldest = standing.outbox_oldest
        return Reading(
            steps=self._steps.add(steps),
            alerts=self._alerts.add(alerts),
            findings=findings,
            late=late,
            last_run_ms=self._last_run_ms,
            running=standing.running,
            outbox_waiting=standing.outbox_waiting,
            outbox_seconds=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
            subscriptions={
                (name, state): number
                for name, found in subscribed.items()
                for state, number in (("standing", found.standing), ("failing", found.failing))
            },
            notifications=self._notifications.add(
                (False, (name,), Amount(found.notifications)) for name, found in subscribed.items()
            ),
        )

    def _begin(self, connection: Connection, now: datetime) -> totals.Window:
        begun = figures.beginning(connection, now - self._settles_after)
        whole = not self._too_much and totals.counts_whole(begun, now, self._kept)
        self._steps = totals.Growing(from_zero=not whole)
        self._alerts = totals.Growing(from_zero=not whole)
        return totals.first_window(begun, now, settles_after=self._settles_after, whole=whole)
