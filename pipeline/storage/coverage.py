"""How far each rule got in each tenant, and which have stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.findings import AlertType, Skip
from pipeline.domain.runs import Origin, Scope

# A rule has stopped only if a run that should have come to it has ended since: after an outage, or once a source is let
# in again, runs come first. Of runs that failed only those count after which none of the source succeeded.
STOPPED = text("""
WITH late AS (
    SELECT c.source_id, c.alert_type, array_agg(f.sync_type) AS sync_types,
           coalesce(c.evaluated_at, c.first_attempted_at) + 2 * min(s.interval_minutes) * CAST('1 minute' AS interval)
           AS due_at
      FROM rule_coverage c
      JOIN data_sources d ON d.id = c.source_id AND d.enabled AND d.refused_since IS NULL
      JOIN unnest(CAST(:alert_types AS text[]), CAST(:sync_types AS text[])) AS f(alert_type, sync_type)
           ON f.alert_type = c.alert_type
      JOIN schedules s ON s.source_id = c.source_id AND s.sync_type = f.sync_type
     WHERE c.skipped_because <> ALL(:known)
     GROUP BY c.source_id, c.alert_type
    HAVING coalesce(c.evaluated_at, c.first_attempted_at) + 2 * min(s.interval_minutes) * CAST('1 minute' AS interval)
           < :now
), ended AS (
    SELECT r.source_id, r.sync_types, r.finished_at, r.state,
           max(r.finished_at) FILTER (WHERE r.state = 'succeeded') OVER (PARTITION BY r.source_id) AS succeeded_at
      FROM (SELECT DISTINCT source_id FROM late) l JOIN data_sources d ON d.id = l.source_id
      JOIN runs r ON r.tenant_id = d.tenant_id AND r.source_id = d.id AND r.state <> 'running'
       AND r.created_at > CAST(:now AS timestamptz) - CAST('7 days' AS interval)
)
SELECT c.tenant_id, c.source_id, c.alert_type, c.evaluated_at, c.skipped, c.run_id, c.trace_id
  FROM late l JOIN rule_coverage c ON c.source_id = l.source_id AND c.alert_type = l.alert_type
 WHERE EXISTS (SELECT 1 FROM ended e
                WHERE e.source_id = l.source_id AND e.sync_types && l.sync_types AND e.finished_at > l.due_at
                  AND (e.state = 'succeeded' OR e.finished_at > coalesce(e.succeeded_at, '-infinity')))
 ORDER BY c.source_id, c.alert_type
""")

NO_STOP = (Skip.BRANCH, Skip.LICENCE, Skip.DOUBT)
"""Why a rule is skipped and has not stopped: nothing that could be mended keeps it from being evaluated."""


EVALUATED = text("SELECT evaluated_at FROM rule_coverage WHERE source_id = :source_id AND alert_type = :alert_type")


def last_evaluated(connection: Connection, scope: Scope, alert_type: AlertType) -> datetime | None:
    """When the rule was last evaluated in the source, ``None`` if it never was."""
    values = {"source_id": scope.source_id, "alert_type": alert_type.value}
    found = connection.execute(EVALUATED, values).scalar()
    return found if isinstance(found, datetime) else None


WATCH_LOCK = 0x6D737062_72756C65
"""Advisory lock: two beats at once would tell of the same change twice."""


def alone(connection: Connection) -> bool:
    """Whether nobody else looks for stopped rules until this transaction ends."""
    taken = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": WATCH_LOCK}).scalar_one()
    return bool(taken)


WATCHED = text("SELECT id FROM data_sources WHERE id = ANY(:sources) AND enabled AND refused_since IS NULL")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedRule:
    """A rule that has not been evaluated for twice its interval. ``origin`` is the last run that should have.

    ``evaluated_at`` is ``None`` if it never was; ``skipped`` is why, empty where no run came to it.
    """

    origin: Origin
    alert_type: AlertType
    evaluated_at: datetime | None
    skipped: str

    @property
    def scope(self) -> Scope:
        return self.origin.scope


def stopped_rules(
    connection: Connection, feeding: Collection[tuple[AlertType, SyncType]], now: datetime
) -> list[StoppedRule]:
    """The stopped rules of every source that can be read, by source and rule: one statement.

    ``feeding`` says which syncs a rule is evaluated after; its interval is the shortest of theirs.
    """
    values = {
        "alert_types": [kind.value for kind, _ in feeding],
        "sync_types": [kind.value for _, kind in feeding],
        "known": [skip.value for skip in NO_STOP],
        "now": now,
    }
    return [
        StoppedRule(
            origin=Origin(
                scope=Scope(tenant_id=row.tenant_id, source_id=row.source_id), run_id=row.run_id, trace_id=row.trace_id
            ),
            alert_type=AlertType(row.alert_type),
            evaluated_at=row.evaluated_at,
            skipped=row.skipped,
        )
        for row in connection.execute(STOPPED, values)
    ]


def watched_sources(connection: Connection, sources: Collection[int]) -> frozenset[int]:
    """Those of the sources that are read at all: enabled, and not refusing us."""
    return frozenset(connection.execute(WATCHED, {"sources": list(sources)}).scalars())
