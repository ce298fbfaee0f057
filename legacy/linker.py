"""The old linker: a query a parent, two a child, one a relationship that is gone.

Its end state is that of the batch linker; what is wrong with it is the price, which grows with the tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.capture import Edge
from pipeline.domain.entities import RelationshipType
from pipeline.domain.ids import entity_id
from pipeline.domain.runs import Scope

_CHILDREN = text("""
    SELECT child_id FROM relationships
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND type = :type AND parent_id = :parent_id
""")
_CHILD = text("SELECT id FROM entities WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id")
_INSERT = text("""
    INSERT INTO relationships (tenant_id, source_id, type, parent_id, child_id)
    VALUES (:tenant_id, :source_id, :type, :parent_id, :child_id)
""")
_STORED = text("""
    SELECT parent_id, child_id FROM relationships
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND type = :type
    ORDER BY parent_id, child_id
""")
_DELETE = text("""
    DELETE FROM relationships
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND type = :type
      AND parent_id = :parent_id AND child_id = :child_id
""")


def link(
    connection: Connection,
    scope: Scope,
    edges: Mapping[RelationshipType, tuple[Edge, ...]],
    complete: frozenset[RelationshipType],
) -> dict[RelationshipType, int]:
    """Makes the stored relationships those of ``edges``; how many were written or deleted, by type.

    Of a type outside ``complete`` nothing is deleted. A complete type without edges loses all of them.
    """
    changes: dict[RelationshipType, int] = {}
    for kind in RelationshipType:
        if kind in edges or kind in complete:
            wanted = _by_parent(scope, edges.get(kind, ()))
            changes[kind] = sum(_add(connection, scope, kind, parent, found) for parent, found in wanted.items())
            if kind in complete:
                changes[kind] += _sweep(connection, scope, kind, wanted)
    return changes


def _by_parent(scope: Scope, edges: Collection[Edge]) -> dict[UUID, set[UUID]]:
    children: dict[UUID, set[UUID]] = {}
    for edge in edges:
        parent = entity_id(scope.source_id, edge.parent_type, edge.parent_id)
        children.setdefault(parent, set()).add(entity_id(scope.source_id, edge.child_type, edge.child_id))
    return children


def _add(connection: Connection, scope: Scope, kind: RelationshipType, parent: UUID, children: set[UUID]) -> int:
    """Writes what one parent lacks. The child is looked up as it always was; what is found changes nothing."""
    values = {**_scoped(scope), "type": kind.value, "parent_id": parent}
    existing = set(connection.execute(_CHILDREN, values).scalars())
    for child in sorted(children):
        connection.execute(_CHILD, {**_scoped(scope), "id": child})
        if child not in existing:
            connection.execute(_INSERT, {**values, "child_id": child})
    return len(children - existing)


def _sweep(connection: Connection, scope: Scope, kind: RelationshipType, wanted: Mapping[UUID, set[UUID]]) -> int:
    values = {**_scoped(scope), "type": kind.value}
    gone = [
        (parent, child)
        for parent, child in connection.execute(_STORED, values).all()
        if child not in wanted.get(parent, ())
    ]
    for parent, child in gone:
        connection.execute(_DELETE, {**values, "parent_id": parent, "child_id": child})
    return len(gone)


def _scoped(scope: Scope) -> dict[str, object]:
    return {"tenant_id": scope.tenant_id, "source_id": scope.source_id}
