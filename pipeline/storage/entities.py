"""Entities: what is stored, and bulk writes of what changed. Every write is one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.alerts import EntityMarks, EntityState
from pipeline.domain.entities import EntityType
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import array_of, copy_rows, fetched_rows
from pipeline.storage.tables import entities


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity as written. ``key`` is the id's hexadecimal digits, ``document`` JSON text."""

    key: str
    entity_type: EntityType
    external_id: str
    display_name: str
    document: str
    data_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredEntity:
    data_hash: bytes
    deleted: bool
    document: str = ""
    """Its JSON text, where it was asked for."""


def stored_hashes(
    connection: Connection, scope: Scope, types: Collection[EntityType]
) -> dict[EntityType, dict[str, StoredEntity]]:
    """Key → hash of every stored entity of the types, deleted ones included."""
    found: dict[EntityType, dict[str, StoredEntity]] = {kind: {} for kind in types}
    with fetched_rows(
        connection,
        "SELECT entity_type, encode(uuid_send(id), 'hex'), data_hash, deleted_at IS NOT NULL FROM entities"
        " WHERE source_id = %(source_id)s AND entity_type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    ) as rows:
        for kind, key, data_hash, deleted in rows:
            if isinstance(data_hash, bytes):
                found[EntityType(str(kind))][str(key)] = StoredEntity(data_hash, bool(deleted))
    return found


def stored_in_part(
    connection: Connection,
    scope: Scope,
    whole: Collection[EntityType],
    partly: Collection[EntityType],
    keys: Collection[str],
) -> tuple[dict[EntityType, dict[str, StoredEntity]], dict[EntityType, int]]:
    """What is stored of the ``whole`` types, and of the ``partly`` types the keys alone, with documents: one statement.

    Besides, how many entities of each partly type stand in all.
    """
    stored: dict[EntityType, dict[str, StoredEntity]] = {kind: {} for kind in (*whole, *partly)}
    standing = dict.fromkeys(partly, 0)
    with fetched_rows(
        connection,
        "SELECT entity_type, encode(uuid_send(id), 'hex'), data_hash, deleted_at IS NOT NULL, '', 0 FROM entities"
        " WHERE source_id = %(source_id)s AND entity_type = ANY(%(whole)s)"
        " UNION ALL "
        "SELECT entity_type, encode(uuid_send(id), 'hex'), data_hash, deleted_at IS NOT NULL, normalized::text, 0"
        "  FROM entities WHERE id = ANY(%(keys)s::uuid[]) AND source_id = %(source_id)s"
        " UNION ALL "
        "SELECT entity_type, NULL, NULL, NULL, NULL, count(*)"
        "  FROM entities WHERE source_id = %(source_id)s AND entity_type = ANY(%(partly)s) AND deleted_at IS NULL"
        " GROUP BY entity_type",
        {
            "source_id": scope.source_id,
            "whole": [kind.value for kind in whole],
            "partly": [kind.value for kind in partly],
            "keys": array_of(keys),
        },
    ) as rows:
        for name, key, data_hash, deleted, document, count in rows:
            kind = EntityType(str(name))
            if isinstance(data_hash, bytes):
                stored[kind][str(key)] = StoredEntity(data_hash, bool(deleted), str(document))
            else:
                standing[kind] = int(str(count))
    return stored, standing


COLUMNS = (
    "id",
    "tenant_id",
    "source_id",
    "entity_type",
    "external_id",
    "display_name",
    "normalized",
    "data_hash",
    "created_at",
    "updated_at",
)


def insert_entities(connection: Connection, scope: Scope, rows: Sequence[EntityRow], now: datetime) -> None:
    copy_rows(
        connection,
        entities.name,
        COLUMNS,
        (
            (
                row.key,
                scope.tenant_id,
                scope.source_id,
                row.entity_type.value,
                row.external_id,
                row.display_name,
                row.document,
                row.data_hash,
                now,
                now,
            )
            for row in rows
        ),
    )


def marked_entities(connection: Connection, scope: Scope) -> dict[UUID, EntityMarks]:
    """Entities that carry a tag or stand other than normal."""
    rows = connection.execute(
        text(
            "SELECT id, tags, state FROM entities WHERE source_id = :source_id AND deleted_at IS NULL"
            " AND (tags <> '{}' OR state <> 'normal')"
        ),
        {"source_id": scope.source_id},
    )
    return {row.id: EntityMarks(tags=tuple(row.tags), state=EntityState(row.state)) for row in rows}


MARK = text("""
UPDATE entities e
   SET tags = CASE WHEN n.tags = '' THEN '{}' ELSE string_to_array(n.tags, chr(31)) END, state = n.state
  FROM unnest(CAST(:ids AS uuid[]), CAST(:tags AS text[]), CAST(:states AS text[])) AS n(id, tags, state)
 WHERE e.id = n.id AND e.source_id = :source_id AND e.deleted_at IS NULL
""")


def mark_entities(connection: Connection, scope: Scope, marks: Mapping[UUID, EntityMarks]) -> None:
    """Sets tags and state; arrays of arrays do not unnest, so tags travel joined by the unit separator."""
    connection.execute(
        MARK,
        {
            "ids": array_of(entity.hex for entity in marks),
            "tags": ["\x1f".join(mark.tags) for mark in marks.values()],
            "states": array_of(mark.state.value for mark in marks.values()),
            "source_id": scope.source_id,
        },
    )
