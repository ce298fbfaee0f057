"""Asking for a run, and recognizing the run that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import DataSource
from pipeline.storage.database import Database
from pipeline.storage.schedules import request_sync
from pipeline.storage.tenants import find_tenant, sources_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Requested:
    """A request that is committed. ``last`` is when the last run a person asked for was opened before it."""

    source: DataSource
    last: datetime | None


LAST = text("SELECT max(created_at) FROM runs WHERE source_id = :source_id AND trigger = 'manual'")
NEXT = text("""
SELECT id FROM runs
 WHERE source_id = :source_id AND tenant_id = :tenant_id AND trigger = 'manual'
   AND (CAST(:last AS timestamptz) IS NULL OR created_at > :last)
 ORDER BY created_at LIMIT 1
""")


def find_sources(database: Database, tenant: str) -> Sequence[DataSource]:
    """The tenant's sources; raises ``UserError`` when there is no such tenant, or it has none."""
    with database.begin() as connection:
        return sources_of(connection, find_tenant(connection, tenant))


def request(
    database: Database, source: DataSource, sync_types: Sequence[SyncType], now: datetime, *, compare: bool
) -> Requested:
    """Stores the request as a pending trigger."""
    with database.begin() as connection:
        request_sync(connection, source.scope, sync_types, now, compare=compare)
        # After the request, within its transaction: a run that is there now cannot be the one that answers it.
        last = connection.execute(LAST, {"source_id": source.scope.source_id}).scalar()
    return Requested(source=source, last=last)


def answering_run(connection: Connection, requested: Requested) -> UUID | None:
    """The run the request became, ``None`` as long as nobody has opened it."""
    scope = requested.source.scope
    values = {"source_id": scope.source_id, "tenant_id": scope.tenant_id, "last": requested.last}
    return connection.execute(NEXT, values).scalar()
