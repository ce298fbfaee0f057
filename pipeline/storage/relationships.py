"""Relationships between entities, by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipeline.domain.entities import RelationshipType
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import array_of, fetched_rows

Pair = tuple[str, str]
"""(parent key, child key), each the hexadecimal digits of an entity's id."""


def stored_pairs(
    connection: Connection, scope: Scope, types: Collection[RelationshipType]
) -> dict[RelationshipType, set[Pair]]:
    """Every stored pair of the types: one statement."""
    with fetched_rows(
        connection,
        "SELECT type, encode(uuid_send(parent_id), 'hex'), encode(uuid_send(child_id), 'hex') FROM relationships"
        " WHERE source_id = %(source_id)s AND type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    ) as rows:
        return _by_type(rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """Keys of the parents, and of the children, that pairs of one type are asked for by."""

    parents: Collection[str] = ()
    children: Collection[str] = ()


def pairs_at(
    connection: Connection, scope: Scope, types: Collection[RelationshipType], ends: Mapping[RelationshipType, Ends]
) -> dict[RelationshipType, set[Pair]]:
    """Every stored pair of the types, and of others those that have one of the ends: one statement."""
    parents = [(kind, key) for kind, found in ends.items() for key in found.parents]
    children = [(kind, key) for kind, found in ends.items() for key in found.children]
    with fetched_rows(
        connection,
        "SELECT type, encode(uuid_send(parent_id), 'hex'), encode(uuid_send(child_id), 'hex') FROM relationships"
        " WHERE source_id = %(source_id)s AND type = ANY(%(types)s)"
        " UNION ALL "
        "SELECT r.type, encode(uuid_send(r.parent_id), 'hex'), encode(uuid_send(r.child_id), 'hex')"
        "  FROM unnest(%(parent_types)s::text[], %(parents)s::uuid[]) AS n(type, id)"
        "  JOIN relationships r ON r.source_id = %(source_id)s AND r.type = n.type AND r.parent_id = n.id"
        " UNION ALL "
        "SELECT r.type, encode(uuid_send(r.parent_id), 'hex'), encode(uuid_send(r.child_id), 'hex')"
        "  FROM unnest(%(child_types)s::text[], %(children)s::uuid[]) AS n(type, id)"
        "  JOIN relationships r ON r.source_id = %(source_id)s AND r.type = n.type AND r.child_id = n.id",
        {
            "source_id": scope.source_id,
            "types": [kind.value for kind in types],
            "parent_types": array_of(kind.value for kind, _ in parents),
            "parents": array_of(key for _, key in parents),
            "child_types": array_of(kind.value for kind, _ in children),
            "children": array_of(key for _, key in children),
        },
    ) as rows:
        return _by_type(rows)


def _by_type(rows: Iterable[Sequence[object]]) -> dict[RelationshipType, set[Pair]]:
    """The pairs by type; a key that stands in many of them is kept once."""
    kept: dict[str, str] = {}
    found: defaultdict[RelationshipType, set[Pair]] = defaultdict(set)
    for kind, parent, child in rows:
        above, below = str(parent), str(child)
        found[RelationshipType(str(kind))].add((kept.setdefault(above, above), kept.setdefault(below, below)))
    return found


CHANGE = text("""
WITH gone AS (
    DELETE FROM relationships r
     USING unnest(CAST(:gone_types AS text[]), CAST(:gone_parents AS uuid[]), CAST(:gone_children AS uuid[]))
           AS n(type, parent, child)
     WHERE r.source_id = :source_id AND r.type = n.type AND r.parent_id = n.parent AND r.child_id = n.child
)
INSERT INTO relationships (tenant_id, source_id, type, parent_id, child_id)
SELECT :tenant_id, :source_id, n.type, n.parent, n.child
  FROM unnest(CAST(:new_types AS text[]), CAST(:new_parents AS uuid[]), CAST(:new_children AS uuid[]))
       AS n(type, parent, child)
""")


def change_pairs(
    connection: Connection,
    scope: Scope,
    *,
    new: Sequence[tuple[RelationshipType, Pair]],
    gone: Sequence[tuple[RelationshipType, Pair]],
) -> None:
    """Adds and takes away: one statement."""
    values: dict[str, object] = {"tenant_id": scope.tenant_id, "source_id": scope.source_id}
    for name, pairs in (("new", new), ("gone", gone)):
        values[f"{name}_types"] = array_of(kind.value for kind, _ in pairs)
        values[f"{name}_parents"] = array_of(parent for _, (parent, _) in pairs)
        values[f"{name}_children"] = array_of(child for _, (_, child) in pairs)
    connection.execute(CHANGE, values)
