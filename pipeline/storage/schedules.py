"""What is due: schedules by sync type, and pending triggers as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope, Trigger
from pipeline.storage.bulk import json_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Debounce:
    """How triggers gather: each waits for ``quiet``, none longer than ``limit`` after the first."""

    quiet: timedelta = timedelta()
    limit: timedelta = timedelta()
    linkers: frozenset[str] = frozenset()
    """If any: a source whose last run had another linker gathers for the limit, as each of its runs reads it whole."""


AT_ONCE = Debounce()

REQUEST = text("""
INSERT INTO pending_triggers AS p (source_id, trigger, sync_types, compare, first_at, due_at)
SELECT d.id, :trigger, w.sync_types, :compare, :now,
       CASE WHEN (SELECT coalesce(r.parts->'main'->>'linker', 'none') <> ALL(CAST(:linkers AS text[]))
                    FROM runs r
                   WHERE r.tenant_id = d.tenant_id AND r.source_id = d.id AND r.parts <> '{}'
                         AND CAST(:linkers AS text[]) <> '{}'
                   ORDER BY r.created_at DESC LIMIT 1)
            THEN :now + :limit ELSE :now + :quiet END
  FROM json_to_recordset(CAST(convert_from(:wanted, 'UTF8') AS json))
       AS w(source_id int, tenant_id int, sync_types text[])
  JOIN data_sources d ON d.id = w.source_id AND d.tenant_id = w.tenant_id
 ORDER BY d.id
ON CONFLICT (source_id) DO UPDATE
   SET sync_types = ARRAY(SELECT DISTINCT unnest(p.sync_types || excluded.sync_types) ORDER BY 1),
       trigger = CASE WHEN excluded.trigger = 'manual' THEN 'manual' ELSE p.trigger END,
       compare = p.compare OR excluded.compare,
       due_at = least(CASE WHEN p.trigger = 'manual' THEN p.due_at ELSE p.first_at + :limit END, excluded.due_at)
""")


def request_sync(
    connection: Connection,
    scope: Scope,
    sync_types: Collection[SyncType],
    now: datetime,
    *,
    trigger: Trigger = Trigger.MANUAL,
    debounce: Debounce = AT_ONCE,
    compare: bool = False,
) -> None:
    """Asks for one run; requests for a source that come before it starts become the same run.

    A later request moves the start by the quiet period, never past the limit after the first, and a person's
    request is due at once.
    """
    request_syncs(connection, {scope: sync_types}, now, trigger=trigger, debounce=debounce, compare=compare)


def request_syncs(
    connection: Connection,
    wanted: Mapping[Scope, Collection[SyncType]],
    now: datetime,
    *,
    trigger: Trigger,
    debounce: Debounce,
    compare: bool = False,
) -> None:
    """``request_sync`` for many sources: one statement, the sources in a fixed order so that two never wait in a ring.

    A source that is gone is passed over.
    """
    rows = [
        {
            "source_id": scope.source_id,
            "tenant_id": scope.tenant_id,
            "sync_types": sorted(kind.value for kind in kinds),
        }
        for scope, kinds in wanted.items()
    ]
    connection.execute(
        REQUEST,
        {
            "wanted": json_rows(rows),
            "trigger": trigger.value,
            "compare": compare,
            "now": now,
            "quiet": debounce.quiet,
            "limit": debounce.limit,
            "linkers": sorted(debounce.linkers),
        },
    )


def scheduled_types(connection: Connection, scope: Scope) -> tuple[SyncType, ...]:
    """What the source is read for, in the order of ``SyncType``."""
    rows = connection.execute(
        text("SELECT sync_type FROM schedules WHERE source_id = :source_id"), {"source_id": scope.source_id}
    ).scalars()
    found = set(rows)
    return tuple(kind for kind in SyncType if kind.value in found)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueSource:
    """A source with something due; its row is locked until the transaction ends."""

    scope: Scope
    trigger: Trigger
    sync_types: tuple[SyncType, ...]
    due_at: datetime
    """The oldest moment anything of it was due: with the source, the name of this run's window."""
    compare: bool


# The lock keeps other dispatchers away. It is not the stronger FOR UPDATE: a first trigger for a source asks for the
# source's row by its foreign key, and a request for many sources would wait there with other triggers locked.
CLAIM_DUE = text("""
WITH due AS (
    SELECT source_id, sync_type, next_due_at AS due_at, 'schedule' AS trigger, false AS compare
      FROM schedules WHERE next_due_at <= :now
     UNION ALL
    SELECT p.source_id, unnest(p.sync_types), p.due_at, p.trigger, p.compare
      FROM pending_triggers p JOIN data_sources d ON d.id = p.source_id
     WHERE p.due_at <= :now AND (p.trigger = 'manual' OR d.refusals = 0)
), by_source AS (
    SELECT source_id, array_agg(DISTINCT sync_type) AS sync_types, min(due_at) AS due_at,
           min(trigger) AS trigger, bool_or(compare) AS compare
      FROM due WHERE CAST(:only AS int[]) IS NULL OR source_id = ANY(:only)
     GROUP BY source_id
), active AS (
    SELECT tenant_id, count(*) AS n FROM runs WHERE state = 'running' GROUP BY tenant_id
), fair AS (
    SELECT b.*, d.tenant_id,
           row_number() OVER (PARTITION BY d.tenant_id ORDER BY b.due_at) AS turn,
           coalesce(a.n, 0) AS active, coalesce(t.max_concurrent_jobs, :max_jobs) AS max_jobs
      FROM by_source b
      JOIN data_sources d ON d.id = b.source_id AND d.enabled
      JOIN tenants t ON t.id = d.tenant_id
      LEFT JOIN active a ON a.tenant_id = d.tenant_id
     WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.source_id = b.source_id AND r.state = 'running')
)
SELECT f.source_id, f.tenant_id, f.sync_types, f.due_at, f.trigger, f.compare
  FROM fair f JOIN data_sources d ON d.id = f.source_id
 WHERE f.active + f.turn <= f.max_jobs
 ORDER BY f.turn, f.due_at
 LIMIT :most
   FOR NO KEY UPDATE OF d SKIP LOCKED
""")


def claim_due(
    connection: Connection, now: datetime, *, max_jobs: int, most: int, only: Sequence[int] | None = None
) -> list[DueSource]:
    """Sources to sync now: first one of every tenant, then seconds, oldest first, within each tenant's job limit.

    Two dispatchers at once never claim the same source. ``only`` narrows it to the named source ids. A source that its
    tenant refuses is tried when its schedule says so or a person asks, not whenever the tenant notifies us.
    """
    rows = connection.execute(
        CLAIM_DUE, {"now": now, "max_jobs": max_jobs, "most": most, "only": list(only) if only is not None else None}
    )
    return [
        DueSource(
            scope=Scope(tenant_id=row.tenant_id, source_id=row.source_id),
            trigger=Trigger(row.trigger),
            sync_types=tuple(SyncType(name) for name in sorted(row.sync_types)),
            due_at=row.due_at,
            compare=row.compare,
        )
        for row in rows
    ]


ADVANCE = text("""
UPDATE schedules s
   SET next_due_at = :now + make_interval(secs => s.interval_minutes * 60 * (1 + :jitter * random()))
  FROM unnest(CAST(:sources AS int[]), CAST(:kinds AS text[])) AS n(source_id, sync_type)
 WHERE s.source_id = n.source_id AND s.sync_type = n.sync_type
""")
# A request may have been merged into a trigger after it was claimed; what the run does not cover stays pending. The
# rows are locked in the order of a request for many sources first, so that the two never wait in a ring.
TAKE_TRIGGERS = text("""
WITH held AS (
    SELECT source_id FROM pending_triggers WHERE source_id = ANY(CAST(:sources AS int[])) ORDER BY source_id FOR UPDATE
), claimed AS (
    SELECT n.source_id, array_agg(n.sync_type) AS sync_types
      FROM unnest(CAST(:sources AS int[]), CAST(:kinds AS text[])) AS n(source_id, sync_type)
     GROUP BY n.source_id
)
DELETE FROM pending_triggers p
 USING claimed c JOIN held h ON h.source_id = c.source_id
 WHERE p.source_id = c.source_id AND p.due_at <= :now AND p.sync_types <@ c.sync_types
   AND (NOT p.compare OR p.source_id = ANY(CAST(:compared AS int[])))
""")
# What is left is due anew: under the moment the run is named after it would be taken for the run already opened.
RENAME_LEFT = text("""
UPDATE pending_triggers SET due_at = CAST(:now AS timestamptz) + interval '1 microsecond'
 WHERE source_id = ANY(CAST(:sources AS int[])) AND due_at <= :now
""")
JITTER = 0.05
"""Up to this share of the interval is added, so that tenants added together drift apart."""


def advance(connection: Connection, claimed: Sequence[DueSource], now: datetime) -> None:
    """Sets when each synced type is due next and takes the claimed triggers away: three statements."""
    pairs = [(due.scope.source_id, kind.value) for due in claimed for kind in due.sync_types]
    connection.execute(
        ADVANCE,
        {"sources": [pair[0] for pair in pairs], "kinds": [pair[1] for pair in pairs], "now": now, "jitter": JITTER},
    )
    connection.execute(
        TAKE_TRIGGERS,
        {
            "sources": [pair[0] for pair in pairs],
            "kinds": [pair[1] for pair in pairs],
            "compared": [due.scope.source_id for due in claimed if due.compare],
            "now": now,
        },
    )
    connection.execute(RENAME_LEFT, {"sources": [due.scope.source_id for due in claimed], "now": now})
