"""What each source's resources last read like: complete, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.runs import Scope
from pipeline.storage.tables import source_inputs


def store_inputs(connection: Connection, scope: Scope, outcomes: Mapping[Resource, ReadOutcome], now: datetime) -> None:
    """Replaces the outcome of every resource that was asked for."""
    statement = insert(source_inputs).values(
        [
            {
                "tenant_id": scope.tenant_id,
                "source_id": scope.source_id,
                "resource": resource.value,
                "complete": outcome.complete,
                "reason": outcome.reason,
                "read_at": now,
            }
            for resource, outcome in outcomes.items()
        ]
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["source_id", "resource"],
            set_={name: statement.excluded[name] for name in ("complete", "reason", "read_at")},
        )
    )


def load_inputs(connection: Connection, scope: Scope) -> dict[Resource, ReadOutcome]:
    rows = connection.execute(
        select(source_inputs.c.resource, source_inputs.c.complete, source_inputs.c.reason).where(
            source_inputs.c.source_id == scope.source_id
        )
    )
    return {Resource(row.resource): ReadOutcome(complete=row.complete, reason=row.reason) for row in rows}
