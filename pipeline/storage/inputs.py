"""What each source's resources last read like: complete, or why not. And what a reading leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, text

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import array_of
from pipeline.storage.captures import NewCapture, stored_outcomes
from pipeline.storage.entities import EntityRow
from pipeline.storage.tables import source_inputs

SETTLE = text("""
WITH changed AS (
    UPDATE entities e
       SET display_name = n.display_name, normalized = n.document, data_hash = n.data_hash,
           updated_at = :now, deleted_at = NULL
      FROM unnest(CAST(:keys AS uuid[]), CAST(:names AS text[]), CAST(:documents AS jsonb[]), CAST(:hashes AS bytea[]))
           AS n(id, display_name, document, data_hash)
     WHERE e.id = n.id AND e.source_id = :source_id
), gone AS (
    UPDATE entities SET deleted_at = :now, tags = '{}', state = 'normal', updated_at = :now
     WHERE id = ANY(CAST(:gone AS uuid[])) AND source_id = :source_id
), captured AS (
    INSERT INTO captures (run_id, tenant_id, source_id, complete, outcomes, pages, raw_bytes, captured_at)
    SELECT CAST(:run_id AS uuid), :tenant_id, :source_id, :whole, CAST(:outcomes AS jsonb), :pages, :raw_bytes, :now
     WHERE CAST(:run_id AS uuid) IS NOT NULL
)
INSERT INTO source_inputs AS s (tenant_id, source_id, resource, complete, reason, refused, read_at, read_in_full_at,
                                token)
SELECT :tenant_id, :source_id, n.resource, n.complete, n.reason, n.refused, :now,
       CASE WHEN n.complete AND NOT n.changes_only THEN CAST(:now AS timestamptz) END, n.token
  FROM unnest(CAST(:resources AS text[]), CAST(:completes AS boolean[]), CAST(:reasons AS text[]),
              CAST(:refused AS boolean[]), CAST(:changes_only AS boolean[]), CAST(:tokens AS text[]))
       AS n(resource, complete, reason, refused, changes_only, token)
ON CONFLICT (source_id, resource) DO UPDATE
   SET complete = excluded.complete, reason = excluded.reason, refused = excluded.refused,
       read_at = excluded.read_at, token = excluded.token,
       read_in_full_at = coalesce(excluded.read_in_full_at, s.read_in_full_at)
""")


def settle_reading(
    connection: Connection,
    scope: Scope,
    outcomes: Mapping[Resource, ReadOutcome],
    *,
    changed: Sequence[EntityRow],
    gone: Sequence[str],
    capture: NewCapture | None = None,
    now: datetime,
) -> None:
    """Records how each resource was read, writes changed entities and marks those that are gone: one statement.

    A changed entity that was deleted is back. ``gone`` holds the hexadecimal digits of entity ids; the rows stay, with
    their history. No entity may be both. A capture that was not stored before gets its row; its pages come after it.
    """
    connection.execute(
        SETTLE,
        {
            "tenant_id": scope.tenant_id,
            "source_id": scope.source_id,
            "keys": array_of(row.key for row in changed),
            "names": [row.display_name for row in changed],
            "documents": [row.document for row in changed],
            "hashes": [row.data_hash for row in changed],
            "gone": array_of(gone),
            "resources": [resource.value for resource in outcomes],
            "completes": [outcome.complete for outcome in outcomes.values()],
            "reasons": [outcome.reason for outcome in outcomes.values()],
            "refused": [outcome.refused for outcome in outcomes.values()],
            "changes_only": [outcome.changes_only for outcome in outcomes.values()],
            "tokens": [outcome.token for outcome in outcomes.values()],
            "run_id": capture.run_id if capture else None,
            "whole": all(outcome.complete for outcome in outcomes.values()),
            "outcomes": stored_outcomes(outcomes),
            "pages": capture.pages if capture else 0,
            "raw_bytes": capture.raw_bytes if capture else 0,
            "now": now,
        },
    )


def load_inputs(connection: Connection, scope: Scope) -> dict[Resource, ReadOutcome]:
    rows = connection.execute(
        select(source_inputs.c.resource, source_inputs.c.complete, source_inputs.c.reason).where(
            source_inputs.c.source_id == scope.source_id
        )
    )
    return {Resource(row.resource): ReadOutcome(complete=row.complete, reason=row.reason) for row in rows}
