"""Load: the capture in the domain's terms, written in bulk; what is unchanged costs one look at its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from pipeline import events
from pipeline.domain.capture import ENTITY_TYPE_OF, Entities, ReadOutcome, Resource
from pipeline.domain.entities import Entity, EntityType
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import Branch, ClaimedStep, Scope
from pipeline.errors import PermanentError
from pipeline.events import Event, JsonValue
from pipeline.stages.capture import FreshCapture, OpenSource, read_tenant
from pipeline.stages.execution import Applied, Apply, space_of
from pipeline.storage.captures import StoredCapture, load_capture
from pipeline.storage.database import Database
from pipeline.storage.entities import EntityRow, StoredEntity, insert_entities, stored_hashes, update_entities
from pipeline.storage.inputs import settle_inputs

ENCODER = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityChanges:
    """What a capture changes: rows to write and keys of entities that are gone."""

    new: tuple[EntityRow, ...]
    changed: tuple[EntityRow, ...]
    gone: tuple[str, ...]
    totals: Mapping[str, int]
    """Entities that stand afterwards, by type."""


def stored_capture(database: Database, step: ClaimedStep) -> StoredCapture:
    """The run's capture; raises ``PermanentError`` when it is past its retention."""
    with database.begin() as connection:
        stored = load_capture(connection, step.run.scope, step.run.id)
    if stored is None:
        raise PermanentError("The run's capture is gone; start a new run with `mspbyte sync`.")
    return stored


def load_entities(step: ClaimedStep, now: datetime, *, database: Database, open_source: OpenSource) -> Apply:
    """Writes what is new or changed and marks what is gone, the latter only from a complete reading."""
    fresh: FreshCapture | None = None
    capture: FreshCapture | StoredCapture
    if step.run.branch is Branch.COMPARISON:
        capture = stored_capture(database, step)
        pages = capture.pages()
    else:
        capture = fresh = read_tenant(step.run, open_source)
        pages = fresh.spool.pages()
    entities = open_source(step.run).entities(pages)
    types = {ENTITY_TYPE_OF[resource] for resource in capture.outcomes if resource in ENTITY_TYPE_OF}
    with database.begin(space_of(step.ref)) as connection:
        stored = stored_hashes(connection, step.run.scope, types)
    changes = plan_changes(step.run.scope, entities, capture.outcomes, stored)

    def apply(connection: Connection) -> Applied:
        told: list[Event] = []
        detail: dict[str, JsonValue] = {}
        if fresh is not None:
            with fresh.spool:
                told += fresh.store(connection, step.run, now)
            detail |= fresh.detail()
        if changes.new:
            insert_entities(connection, step.run.scope, changes.new, now)
        if changes.changed:
            update_entities(connection, step.run.scope, changes.changed, now)
        settle_inputs(connection, step.run.scope, capture.outcomes, changes.gone, now)
        told += [events.processed(kind, step.run.names()) for kind in step.run.sync_types]
        detail |= {"new": len(changes.new), "changed": len(changes.changed), "gone": len(changes.gone)}
        return Applied(detail=detail, events=told, entities=changes.totals)

    return apply


def plan_changes(
    scope: Scope,
    entities: Entities,
    outcomes: Mapping[Resource, ReadOutcome],
    stored: Mapping[EntityType, Mapping[str, StoredEntity]],
) -> EntityChanges:
    """What to write, from what was read and the hashes of what is stored. Pure."""
    swept = {ENTITY_TYPE_OF[r] for r, outcome in outcomes.items() if outcome.complete and r in ENTITY_TYPE_OF}
    new: list[EntityRow] = []
    changed: list[EntityRow] = []
    gone: list[str] = []
    totals: dict[str, int] = {}
    for kind, known in stored.items():
        seen: set[str] = set()
        for row in _rows(scope, kind, entities.get(kind, {}).values()):
            seen.add(row.key)
            before = known.get(row.key)
            if before is None:
                new.append(row)
            elif before.deleted or before.data_hash != row.data_hash:
                changed.append(row)
        unseen = [key for key, before in known.items() if key not in seen and not before.deleted]
        if kind in swept:
            gone.extend(unseen)
        totals[kind.value] = len(seen) + (0 if kind in swept else len(unseen))
    return EntityChanges(new=tuple(new), changed=tuple(changed), gone=tuple(gone), totals=totals)


def _rows(scope: Scope, kind: EntityType, found: Iterable[Entity]) -> Iterable[EntityRow]:
    for entity in found:
        document = ENCODER.encode(entity)
        yield EntityRow(
            key=entity_key(scope.source_id, kind, entity.id),
            entity_type=kind,
            external_id=entity.id,
            display_name=getattr(entity, "display_name", ""),
            document=document.decode(),
            data_hash=hashlib.blake2b(document, digest_size=16).digest(),
        )
