"""The tenant graph out of the database: three statements, whatever the tenant's size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from pipeline.domain.entities import ENTITY_CLASSES, Entity, EntityType, Identity, RelationshipType
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import fetched_rows
from pipeline.storage.inputs import load_inputs

DECODERS = {kind.value: msgspec.json.Decoder(cls) for kind, cls in ENTITY_CLASSES.items()}


def load_graph(connection: Connection, scope: Scope) -> TenantGraph:
    """The graph as it stands: entities, memberships, roles and how well each input was read."""
    return load_named_graph(connection, scope)[0]


def load_named_graph(connection: Connection, scope: Scope) -> tuple[TenantGraph, Mapping[object, str]]:
    """The graph, and the external id of every entity in it by the bytes of its own id."""
    entities: defaultdict[EntityType, dict[str, Entity]] = defaultdict(dict)
    names: dict[object, str] = {}
    skus: dict[tuple[str, ...], tuple[str, ...]] = {}
    with fetched_rows(
        connection,
        "SELECT uuid_send(id), entity_type, normalized::text FROM entities"
        " WHERE source_id = %(source_id)s AND deleted_at IS NULL",
        {"source_id": scope.source_id},
    ) as rows:
        for key, kind, document in rows:
            entity = _sharing(DECODERS[str(kind)].decode(str(document)), skus)
            names[key] = entity.id
            entities[EntityType(str(kind))][entity.id] = entity
    graph = build_graph(
        entities=entities, pairs=_pairs(connection, scope, names), inputs=load_inputs(connection, scope)
    )
    return graph, names


def _sharing(entity: Entity, skus: dict[tuple[str, ...], tuple[str, ...]]) -> Entity:
    """The entity; users with the same licences share one tuple of ids instead of each having strings of their own."""
    if not isinstance(entity, Identity) or not entity.sku_ids:
        return entity
    return replace(entity, sku_ids=skus.setdefault(entity.sku_ids, entity.sku_ids))


def _pairs(
    connection: Connection, scope: Scope, names: dict[object, str]
) -> dict[RelationshipType, list[tuple[str, str]]]:
    """Memberships and role assignments by external id; pairs with an end that is not stored are left out."""
    pairs: dict[RelationshipType, list[tuple[str, str]]] = {
        RelationshipType.MEMBER_OF: [],
        RelationshipType.ASSIGNED_ROLE: [],
    }
    by_name = {kind.value: found for kind, found in pairs.items()}
    with fetched_rows(
        connection,
        "SELECT type, uuid_send(parent_id), uuid_send(child_id) FROM relationships"
        " WHERE source_id = %(source_id)s AND type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": list(by_name)},
    ) as rows:
        for kind, parent, child in rows:
            if parent in names and child in names:
                by_name[str(kind)].append((names[parent], names[child]))
    return pairs
