"""How far each rule got in each tenant, and which have stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.findings import AlertType, Skip
from pipeline.domain.runs import Origin, Scope

STOPPED = text("""
SELECT c.tenant_id, c.source_id, c.alert_type, c.evaluated_at, c.skipped, c.run_id, c.trace_id
  FROM rule_coverage c
  JOIN data_sources d ON d.id = c.source_id AND d.enabled AND d.refused_since IS NULL
  JOIN unnest(CAST(:alert_types AS text[]), CAST(:sync_types AS text[])) AS f(alert_type, sync_type)
       ON f.alert_type = c.alert_type
  JOIN schedules s ON s.source_id = c.source_id AND s.sync_type = f.sync_type
 WHERE c.skipped_because <> :branch AND NOT (c.skipped_because = :licence AND c.evaluated_at IS NULL)
 GROUP BY c.source_id, c.alert_type
HAVING coalesce(c.evaluated_at, c.first_attempted_at)
       < CAST(:now AS timestamptz) - 2 * min(s.interval_minutes) * CAST('1 minute' AS interval)
 ORDER BY c.source_id, c.alert_type
""")


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

    ``feeding`` says which syncs a rule is evaluated after; its interval is the shortest of theirs. A rule that the
    tenant's branch does not know, or that wants a licence the tenant never had, has not stopped.
    """
    values = {
        "alert_types": [kind.value for kind, _ in feeding],
        "sync_types": [kind.value for _, kind in feeding],
        "branch": Skip.BRANCH.value,
        "licence": Skip.LICENCE.value,
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
