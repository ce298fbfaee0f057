"""Relationships between entities, by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, text

from pipeline.domain.entities import RelationshipType
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import copy_rows, fetch_rows
from pipeline.storage.tables import relationships

Pair = tuple[str, str]
"""(parent key, child key), each the hexadecimal digits of an entity's id."""


def stored_pairs(
    connection: Connection, scope: Scope, types: Collection[RelationshipType]
) -> dict[RelationshipType, set[Pair]]:
    """Every stored pair of the types: one statement."""
    rows = fetch_rows(
        connection,
        "SELECT type, encode(uuid_send(parent_id), 'hex'), encode(uuid_send(child_id), 'hex') FROM relationships"
        " WHERE source_id = %(source_id)s AND type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    )
    found: defaultdict[RelationshipType, set[Pair]] = defaultdict(set)
    for kind, parent, child in rows:
        found[RelationshipType(str(kind))].add((str(parent), str(child)))
    return found


def insert_pairs(connection: Connection, scope: Scope, pairs: Iterable[tuple[RelationshipType, Pair]]) -> int:
    """How many were written, by one COPY."""
    return copy_rows(
        connection,
        relationships.name,
        ("tenant_id", "source_id", "type", "parent_id", "child_id"),
        ((scope.tenant_id, scope.source_id, kind.value, parent, child) for kind, (parent, child) in pairs),
    )


DELETE = text("""
DELETE FROM relationships r
 USING unnest(CAST(:types AS text[]), CAST(:parents AS uuid[]), CAST(:children AS uuid[])) AS n(type, parent, child)
 WHERE r.source_id = :source_id AND r.type = n.type AND r.parent_id = n.parent AND r.child_id = n.child
""")


def delete_pairs(connection: Connection, scope: Scope, pairs: Collection[tuple[RelationshipType, Pair]]) -> int:
    """How many are gone."""
    return connection.execute(
        DELETE,
        {
            "types": [kind.value for kind, _ in pairs],
            "parents": [parent for _, (parent, _) in pairs],
            "children": [child for _, (_, child) in pairs],
            "source_id": scope.source_id,
        },
    ).rowcount
