"""Asking for a run, and recognizing the run that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.providers import PROVIDER_OF, known_provider
from pipeline.domain.runs import DataSource
from pipeline.errors import UserError
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What one source is to be synced for."""

    source: DataSource
    sync_types: tuple[SyncType, ...]


def find_sources(database: Database, tenant: str, sync_types: Sequence[SyncType]) -> list[Wanted]:
    """The tenant's sources, each with those of the types that its provider is read for.

    A source of another provider is left out. Raises ``UserError`` when there is no such tenant, when it has no source
    and when none of its sources is read for any of the types.
    """
    with database.begin() as connection:
        sources = sources_of(connection, find_tenant(connection, tenant))
    found = [Wanted(source=source, sync_types=_fitting(source, sync_types)) for source in sources]
    if not any(one.sync_types for one in found):
        raise UserError(
            f"No source of {tenant} is read for {', '.join(sync_types)}; `mspbyte source list` shows what it has."
        )
    return [one for one in found if one.sync_types]


def _fitting(source: DataSource, sync_types: Sequence[SyncType]) -> tuple[SyncType, ...]:
    provider = known_provider(source.provider)
    return tuple(kind for kind in sync_types if PROVIDER_OF[kind] is provider)


def request(database: Database, wanted: Wanted, now: datetime, *, compare: bool) -> Requested:
    """Stores the request as a pending trigger."""
    source = wanted.source
    with database.begin() as connection:
        request_sync(connection, source.scope, wanted.sync_types, now, compare=compare)
        # After the request, within its transaction: a run that is there now cannot be the one that answers it.
        last = connection.execute(LAST, {"source_id": source.scope.source_id}).scalar()
    return Requested(source=source, last=last)


def answering_run(connection: Connection, requested: Requested) -> UUID | None:
    """The run the request became, ``None`` as long as nobody has opened it."""
    scope = requested.source.scope
    values = {"source_id": scope.source_id, "tenant_id": scope.tenant_id, "last": requested.last}
    return connection.execute(NEXT, values).scalar()
