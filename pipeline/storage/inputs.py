"""What each source's resources last read like: complete, or why not. And what a complete reading takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, text

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.runs import Scope
from pipeline.storage.tables import source_inputs

SETTLE = text("""
WITH gone AS (
    UPDATE entities SET deleted_at = :now, tags = '{}', state = 'normal', updated_at = :now
     WHERE id = ANY(CAST(:gone AS uuid[])) AND source_id = :source_id
)
INSERT INTO source_inputs (tenant_id, source_id, resource, complete, reason, read_at)
SELECT :tenant_id, :source_id, n.resource, n.complete, n.reason, :now
  FROM unnest(CAST(:resources AS text[]), CAST(:completes AS boolean[]), CAST(:reasons AS text[]))
       AS n(resource, complete, reason)
ON CONFLICT (source_id, resource) DO UPDATE
   SET complete = excluded.complete, reason = excluded.reason, read_at = excluded.read_at
""")


def settle_inputs(
    connection: Connection,
    scope: Scope,
    outcomes: Mapping[Resource, ReadOutcome],
    gone: Sequence[str],
    now: datetime,
) -> None:
    """Records how each resource was read and marks the entities that are gone: one statement.

    ``gone`` holds the hexadecimal digits of entity ids; the rows stay, with their history.
    """
    connection.execute(
        SETTLE,
        {
            "tenant_id": scope.tenant_id,
            "source_id": scope.source_id,
            "gone": list(gone),
            "resources": [resource.value for resource in outcomes],
            "completes": [outcome.complete for outcome in outcomes.values()],
            "reasons": [outcome.reason for outcome in outcomes.values()],
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
