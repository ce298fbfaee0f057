"""Figures for the exporter: what the ledger says in numbers, never of one tenant. Read only.

Steps are reached through the runs of each tenant since a moment, along the index ``runs_recent_by_tenant``; alerts
through the primary key of their history. What a scrape costs thereby follows from what happened lately and not from
how long the system has run. The moments come from ``pipeline.observability.metrics.totals``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from pipeline.errors import TransientError
from pipeline.storage.database import bound_statements

STATEMENT_MS = 8_000
"""Less than the ten seconds Prometheus waits for a scrape."""


def begin_reading(connection: Connection) -> None:
    """Makes everything the transaction reads one moment's truth, and bounds how long a statement may take."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    bound_statements(connection, STATEMENT_MS)


def ran_out_of_time(error: TransientError) -> bool:
    """True when PostgreSQL does answer and only a statement took longer than it may."""
    cause = error.__cause__
    return isinstance(cause, OperationalError) and isinstance(cause.orig, psycopg.errors.QueryCanceled)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepKind:
    """What ended steps are counted by."""

    stage: str
    branch: str
    """The branch that did it; in a comparison each lane's own, ``comparison`` for the steps around them."""
    analyzer: str
    """Which analyzer did it; empty on the other stages."""
    state: str
    error: str
    bucket: int
    """Index of the first duration bound the step kept, the number of bounds when it kept none, -1 untimed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertKind:
    """What changes of alerts are counted by."""

    action: str
    alert_type: str
    severity: str


@dataclass(frozen=True, slots=True)
class Amount:
    """How many, and for steps the seconds and statements they took together."""

    count: int = 0
    seconds: float = 0.0
    queries: int = 0


STEPS = text("""
SELECT r.created_at < :until AS settled, s.stage,
       CASE WHEN s.lane = 'main' THEN coalesce(r.branch, 'none')
            WHEN r.parts -> s.lane ->> 'analyzer' = 'legacy' THEN 'legacy' ELSE 'new' END AS branch,
       CASE WHEN s.stage = 'analyze' THEN coalesce(r.parts -> s.lane ->> 'analyzer', '') ELSE '' END AS analyzer,
       s.state, coalesce(s.error_code, '') AS error,
       coalesce(width_bucket(s.seconds, CAST(:bounds AS double precision[])), -1) AS bucket,
       count(*) AS n, coalesce(sum(s.seconds), 0) AS seconds, coalesce(sum(s.queries), 0) AS queries
  FROM tenants t
 CROSS JOIN LATERAL (
       SELECT id, branch, parts, created_at FROM runs WHERE tenant_id = t.id AND created_at >= :since) r
  JOIN run_steps s ON s.run_id = r.id
 WHERE s.state IN ('done', 'failed')
 GROUP BY 1, 2, 3, 4, 5, 6, 7
""")


def ended_steps(
    connection: Connection, since: datetime, until: datetime, bounds: Sequence[float]
) -> list[tuple[bool, StepKind, Amount]]:
    """The done and failed steps of runs opened at or after ``since``; True for those of runs opened before ``until``.

    A duration belongs to the first bound it is smaller than.
    """
    rows = connection.execute(STEPS, {"since": since, "until": until, "bounds": list(bounds)})
    return [
        (
            row.settled,
            StepKind(
                stage=row.stage,
                branch=row.branch,
                analyzer=row.analyzer,
                state=row.state,
                error=row.error,
                bucket=row.bucket,
            ),
            Amount(row.n, row.seconds, row.queries),
        )
        for row in rows
    ]


ALERTS = text("""
SELECT h.settled, h.action, a.alert_type, h.to_severity AS severity, count(*) AS n
  FROM (SELECT id <= :until AS settled, alert_id, to_severity,
               CASE WHEN from_status IS NULL THEN 'created'
                    WHEN from_status = to_status THEN NULL
                    WHEN to_status IN ('resolved', 'suppressed') THEN to_status
                    WHEN from_status = 'resolved' THEN 'reopened' END AS action
          FROM alert_history WHERE id > :since) h
  JOIN alerts a ON a.id = h.alert_id
 WHERE h.action IS NOT NULL
 GROUP BY 1, 2, 3, 4
""")


def alert_changes(connection: Connection, since: int, until: int) -> list[tuple[bool, AlertKind, Amount]]:
    """The changes told by history rows after ``since``; True for rows up to ``until``."""
    rows = connection.execute(ALERTS, {"since": since, "until": until})
    return [
        (
            row.settled,
            AlertKind(action=row.action, alert_type=row.alert_type, severity=row.severity),
            Amount(row.n),
        )
        for row in rows
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """What a new process must know to begin to count."""

    oldest_run: datetime | None
    settled_alert: int
    """The newest history row older than the moment given; 0 when there is none."""


BEGINNING = text("""
SELECT (SELECT min(r.created_at)
          FROM tenants t
         CROSS JOIN LATERAL (
               SELECT created_at FROM runs WHERE tenant_id = t.id ORDER BY created_at LIMIT 1) r) AS oldest_run,
       coalesce((SELECT id FROM alert_history WHERE at < :recent ORDER BY id DESC LIMIT 1), 0) AS settled_alert
""")


def beginning(connection: Connection, recent: datetime) -> Beginning:
    row = connection.execute(BEGINNING, {"recent": recent}).one()
    return Beginning(oldest_run=row.oldest_run, settled_alert=row.settled_alert)


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """How things stand at this moment."""

    running: int
    oldest_running: datetime | None
    last_alert_change: int
    outbox_waiting: int
    outbox_oldest: datetime | None


NOW = text("""
SELECT r.running, r.oldest_running, o.outbox_waiting, o.outbox_oldest,
       coalesce((SELECT max(id) FROM alert_history), 0) AS last_alert_change
  FROM (SELECT count(*) AS running, min(created_at) AS oldest_running FROM runs WHERE state = 'running') r,
       (SELECT count(*) AS outbox_waiting, min(created_at) AS outbox_oldest
          FROM outbox WHERE published_at IS NULL) o
""")


def standing(connection: Connection) -> Now:
    return Now(**connection.execute(NOW).mappings().one())


LAST_RUN = text("""
SELECT extract(epoch FROM r.finished_at - r.started_at) * 1000 AS ms
  FROM tenants t
 CROSS JOIN LATERAL (
       SELECT started_at, finished_at FROM runs
        WHERE tenant_id = t.id AND created_at >= :since AND state = 'succeeded') r
 ORDER BY r.finished_at DESC LIMIT 1
""")


def last_run_ms(connection: Connection, since: datetime) -> float | None:
    """Milliseconds from start to end of the run that succeeded last, of those opened at or after ``since``."""
    found = connection.execute(LAST_RUN, {"since": since}).scalar()
    return None if found is None else float(found)


def findings_as_they_stand(connection: Connection) -> dict[tuple[str, ...], int]:
    """(alert type, severity) → findings of the last analysis of every source."""
    rows = connection.execute(text("SELECT alert_type, severity, count(*) AS n FROM findings GROUP BY 1, 2"))
    return {(row.alert_type, row.severity): row.n for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class Lateness:
    """How late the schedules of one sync type are."""

    overdue: int
    """Due for longer than their own interval: their last sync is older than twice the interval."""
    seconds: float
    """How long the one that waits longest has been due."""


LATE = text("""
SELECT s.sync_type, extract(epoch FROM CAST(:now AS timestamptz) - min(s.next_due_at)) AS seconds,
       count(*) FILTER (WHERE s.next_due_at < :now - make_interval(mins => s.interval_minutes)) AS overdue
  FROM schedules s JOIN data_sources d ON d.id = s.source_id AND d.enabled
 WHERE s.next_due_at < :now
 GROUP BY s.sync_type
""")


def late_schedules(connection: Connection, now: datetime) -> dict[str, Lateness]:
    """Sync type → how late its schedules are; types of which nothing is due are left out."""
    rows = connection.execute(LATE, {"now": now})
    return {row.sync_type: Lateness(overdue=row.overdue, seconds=float(row.seconds)) for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscribedTo:
    """How the subscriptions to one resource stand, over all sources."""

    standing: int
    failing: int
    """Whose last attempt, to make or to renew it, failed."""
    notifications: int


SUBSCRIBED = text("""
SELECT resource, count(*) FILTER (WHERE subscription_id IS NOT NULL AND expires_at > :now) AS standing,
       count(*) FILTER (WHERE failures > 0) AS failing, CAST(sum(notifications) AS bigint) AS notifications
  FROM notification_subscriptions GROUP BY resource
""")


def subscriptions_as_they_stand(connection: Connection, now: datetime) -> dict[str, SubscribedTo]:
    """Resource → its subscriptions; resources nobody is subscribed to are left out."""
    rows = connection.execute(SUBSCRIBED, {"now": now})
    return {
        row.resource: SubscribedTo(standing=row.standing, failing=row.failing, notifications=row.notifications)
        for row in rows
    }
