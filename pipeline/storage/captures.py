"""Captures: the raw pages of one reading of a tenant, compressed, immutable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

import msgspec
import zstandard
from sqlalchemy import Connection, delete, text

from pipeline.domain.capture import RESOURCES, Page, ReadOutcome, Resource, SyncType
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import copy_rows, fetched_rows
from pipeline.storage.tables import capture_pages, captures

IN_MEMORY_BYTES = 8 * 1024 * 1024
COMPRESSION_LEVEL = 1
"""Graph's JSON shrinks to about a tenth already at the fastest level."""


class CaptureSpool:
    """Pages on their way to the database: compressed as they come, on disk beyond 8 MiB.

    A reading takes minutes and a transaction must not, so pages wait here until all of them are read.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed by __exit__
        self._compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
        self._index: list[tuple[Resource, str, int]] = []
        self.raw_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def add(self, page: Page) -> None:
        body = self._compressor.compress(page.body)
        self._file.write(body)
        self._index.append((page.resource, page.parent_id, len(body)))
        self.raw_bytes += len(page.body)

    def __len__(self) -> int:
        return len(self._index)

    def pages(self) -> Iterator[Page]:
        """The pages as they came."""
        decompressor = zstandard.ZstdDecompressor()
        self._file.seek(0)
        for resource, parent_id, length in self._index:
            yield Page(resource=resource, parent_id=parent_id, body=decompressor.decompress(self._file.read(length)))

    def rows(self, run_id: UUID) -> Iterator[tuple[object, ...]]:
        """(run id, position, resource, parent id, compressed body) of every page."""
        self._file.seek(0)
        for position, (resource, parent_id, length) in enumerate(self._index):
            yield run_id, position, resource.value, parent_id, self._file.read(length)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCapture:
    """The row of a capture about to be stored."""

    run_id: UUID
    pages: int
    raw_bytes: int


def stored_outcomes(outcomes: Mapping[Resource, ReadOutcome]) -> str:
    """The outcomes as JSON text."""
    return msgspec.json.encode({resource.value: outcome for resource, outcome in outcomes.items()}).decode()


INSERT = text("""
INSERT INTO captures (run_id, tenant_id, source_id, complete, outcomes, pages, raw_bytes, captured_at)
VALUES (:run_id, :tenant_id, :source_id, :complete, CAST(:outcomes AS jsonb), :pages, :raw_bytes, :now)
""")


def store_capture(
    connection: Connection,
    scope: Scope,
    capture: NewCapture,
    outcomes: Mapping[Resource, ReadOutcome],
    now: datetime,
) -> None:
    """Writes the row of a capture; its pages come after it."""
    connection.execute(
        INSERT,
        {
            "run_id": capture.run_id,
            "tenant_id": scope.tenant_id,
            "source_id": scope.source_id,
            "complete": all(outcome.complete for outcome in outcomes.values()),
            "outcomes": stored_outcomes(outcomes),
            "pages": capture.pages,
            "raw_bytes": capture.raw_bytes,
            "now": now,
        },
    )


def store_pages(connection: Connection, run_id: UUID, spool: CaptureSpool) -> None:
    """Writes the pages of a run's capture by one COPY."""
    columns = ("run_id", "position", "resource", "parent_id", "body")
    copy_rows(connection, capture_pages.name, columns, spool.rows(run_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredCapture:
    """A capture as read back; pages decompress one at a time as they are walked."""

    outcomes: Mapping[Resource, ReadOutcome]
    rows: list[tuple[object, ...]]

    def pages(self) -> Iterator[Page]:
        decompressor = zstandard.ZstdDecompressor()
        for resource, parent_id, body in self.rows:
            if not isinstance(body, bytes):
                raise TypeError("a capture page holds bytes")
            yield Page(resource=Resource(str(resource)), parent_id=str(parent_id), body=decompressor.decompress(body))


def load_capture(connection: Connection, scope: Scope, run_id: UUID) -> StoredCapture | None:
    """The capture of a run, or ``None`` when it has none (never taken, or past its retention)."""
    with fetched_rows(
        connection,
        "SELECT p.resource, p.parent_id, p.body, CASE WHEN coalesce(p.position, 0) = 0 THEN c.outcomes::text END"
        "  FROM captures c LEFT JOIN capture_pages p ON p.run_id = c.run_id"
        " WHERE c.run_id = %(run_id)s AND c.source_id = %(source_id)s ORDER BY p.position",
        {"run_id": run_id, "source_id": scope.source_id},
    ) as found:
        rows = list(found)
    if not rows:
        return None
    outcomes = msgspec.json.decode(str(rows[0][3]), type=dict[Resource, ReadOutcome])
    return StoredCapture(outcomes=outcomes, rows=[row[:3] for row in rows if row[0] is not None])


LEADERS: Mapping[SyncType, Resource] = {kind: resources[0] for kind, resources in RESOURCES.items()}
"""The list of each sync type that says when the others beside it were read."""

# Through runs, which have an index by tenant and time.
LATEST_WHOLE = text("""
SELECT DISTINCT ON (l.sync_type) l.sync_type, c.run_id, c.captured_at, c.outcomes::text AS outcomes
  FROM unnest(CAST(:sync_types AS text[]), CAST(:leaders AS text[])) AS l(sync_type, leader)
  JOIN runs r ON r.tenant_id = :tenant_id AND r.source_id = :source_id
  JOIN captures c ON c.run_id = r.id
   AND (c.outcomes -> l.leader ->> 'complete')::boolean
   AND NOT coalesce((c.outcomes -> l.leader ->> 'changes_only')::boolean, false)
 ORDER BY l.sync_type, c.captured_at DESC
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposedCapture:
    """The newest whole reading of every list, from as many captures as that takes, and when each was taken."""

    outcomes: Mapping[Resource, ReadOutcome]
    pages: tuple[Page, ...]
    captured_at: Mapping[Resource, datetime]

    def as_of(self, resources: Iterable[Resource]) -> datetime:
        """The moment at which all of these were as they are here: the oldest reading's, of those there are."""
        known = [self.captured_at[one] for one in resources if one in self.captured_at]
        return min(known or self.captured_at.values())


def latest_whole_capture(connection: Connection, scope: Scope) -> ComposedCapture | None:
    """What is known of the source from stored captures, or ``None`` where none holds a whole list: two statements."""
    values = {
        "tenant_id": scope.tenant_id,
        "source_id": scope.source_id,
        "sync_types": [kind.value for kind in LEADERS],
        "leaders": [resource.value for resource in LEADERS.values()],
    }
    outcomes: dict[Resource, ReadOutcome] = {}
    wanted: list[tuple[UUID, Resource]] = []
    moments: dict[Resource, datetime] = {}
    for row in connection.execute(LATEST_WHOLE, values):
        told = msgspec.json.decode(row.outcomes, type=dict[Resource, ReadOutcome])
        own = {resource: told[resource] for resource in RESOURCES[SyncType(row.sync_type)] if resource in told}
        outcomes |= own
        wanted += [(row.run_id, resource) for resource in own]
        moments |= dict.fromkeys(own, row.captured_at)
    if not moments:
        return None
    return ComposedCapture(outcomes=outcomes, pages=tuple(_pages_of(connection, scope, wanted)), captured_at=moments)


def _pages_of(connection: Connection, scope: Scope, wanted: Sequence[tuple[UUID, Resource]]) -> Iterator[Page]:
    decompressor = zstandard.ZstdDecompressor()
    with fetched_rows(
        connection,
        "SELECT p.resource, p.parent_id, p.body FROM capture_pages p JOIN captures c ON c.run_id = p.run_id"
        "  JOIN unnest(CAST(%(runs)s AS uuid[]), CAST(%(resources)s AS text[])) AS w(run_id, resource)"
        "       ON w.run_id = p.run_id AND w.resource = p.resource"
        " WHERE c.source_id = %(source_id)s ORDER BY p.run_id, p.position",
        {
            "source_id": scope.source_id,
            "runs": [run_id for run_id, _ in wanted],
            "resources": [resource.value for _, resource in wanted],
        },
    ) as rows:
        for resource, parent_id, body in rows:
            if not isinstance(body, bytes):
                raise TypeError("a capture page holds bytes")
            yield Page(resource=Resource(str(resource)), parent_id=str(parent_id), body=decompressor.decompress(body))


def delete_captures_before(connection: Connection, moment: datetime) -> int:
    """How many captures were older and are gone."""
    return connection.execute(delete(captures).where(captures.c.captured_at < moment)).rowcount
