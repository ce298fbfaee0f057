"""What a load writes, from what was read and what is stored. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from pipeline.domain.capture import ENTITY_TYPE_OF, Entities, ReadOutcome, Resource
from pipeline.domain.entities import Entity, EntityType, Identity
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import Scope
from pipeline.domain.unread import kept_from
from pipeline.storage.entities import EntityRow, StoredEntity

ENCODER = msgspec.json.Encoder(order="deterministic")
IDENTITY = msgspec.json.Decoder(Identity)
NOTHING_REMOVED: Mapping[EntityType, frozenset[str]] = MappingProxyType({})
APART = frozenset({EntityType.APPLICATIONS, EntityType.SUBSCRIPTIONS, EntityType.ORGANIZATION})
"""No verdict on a user rests on these."""
NONE_COUNTED: Mapping[EntityType, int] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityChanges:
    """What a capture changes: rows to write and keys of entities that are gone."""

    new: tuple[EntityRow, ...]
    changed: tuple[EntityRow, ...]
    gone: tuple[str, ...]
    totals: Mapping[str, int]
    """Entities that stand afterwards, by type."""
    others: frozenset[EntityType] = frozenset()
    """The types of which something went, or changed, that concerns more than single users and groups."""

    def touched(self) -> frozenset[str] | None:
        """Keys of the users and groups of which something changed; ``None`` if that is not all that changed."""
        if self.others:
            return None
        return frozenset((*(row.key for row in self.new), *(row.key for row in self.changed), *self.gone))


def partial_types(outcomes: Mapping[Resource, ReadOutcome]) -> frozenset[EntityType]:
    """The entity types of which the capture holds changes only."""
    return frozenset(
        ENTITY_TYPE_OF[r] for r, outcome in outcomes.items() if r in ENTITY_TYPE_OF and outcome.changes_only
    )


def whole_types(outcomes: Mapping[Resource, ReadOutcome]) -> frozenset[EntityType]:
    """The entity types the capture speaks of as a whole, read to the end or not."""
    return frozenset(ENTITY_TYPE_OF[r] for r in outcomes if r in ENTITY_TYPE_OF) - partial_types(outcomes)


def _swept(outcomes: Mapping[Resource, ReadOutcome]) -> frozenset[EntityType]:
    """The entity types whose every list was read whole and to its end: what is not in them is gone."""
    cut = (ENTITY_TYPE_OF[r] for r, outcome in outcomes.items() if r in ENTITY_TYPE_OF and not outcome.complete)
    return whole_types(outcomes) - frozenset(cut)


def plan_changes(
    scope: Scope,
    entities: Entities,
    outcomes: Mapping[Resource, ReadOutcome],
    stored: Mapping[EntityType, Mapping[str, StoredEntity]],
    *,
    removed: Mapping[EntityType, frozenset[str]] = NOTHING_REMOVED,
    standing: Mapping[EntityType, int] = NONE_COUNTED,
) -> EntityChanges:
    """What to write, from what was read and what is stored. Pure.

    Of a type that was read as its changes, ``stored`` holds what these speak of, with documents, and ``standing`` says
    how many there were in all.
    """
    swept, partly = _swept(outcomes), partial_types(outcomes)
    new: list[EntityRow] = []
    changed: list[EntityRow] = []
    gone: list[str] = []
    totals: dict[str, int] = {}
    others: set[EntityType] = set()
    for kind, known in stored.items():
        seen: set[str] = set()
        found: Iterable[Entity] = entities.get(kind, {}).values()
        if kind in partly:
            found = _completed(scope, kind, found, known, outcomes)
        before_new, before_changed, revived = len(new), len(changed), 0
        for row in _rows(scope, kind, found):
            seen.add(row.key)
            before = known.get(row.key)
            if before is None:
                new.append(row)
            elif before.deleted or before.data_hash != row.data_hash:
                changed.append(row)
                revived += before.deleted
        leaving = _leaving(scope, kind, known, seen, swept=kind in swept, removed=removed.get(kind, frozenset()))
        gone.extend(leaving)
        written = len(new) > before_new or len(changed) > before_changed
        if kind is not EntityType.IDENTITIES and (leaving or (written and kind is not EntityType.GROUPS)):
            others.add(kind)
        count = standing[kind] if kind in standing else sum(not before.deleted for before in known.values())
        totals[kind.value] = count + len(new) - before_new + revived - len(leaving)
    return EntityChanges(
        new=tuple(new), changed=tuple(changed), gone=tuple(gone), totals=totals, others=frozenset(others - APART)
    )


def _leaving(
    scope: Scope,
    kind: EntityType,
    known: Mapping[str, StoredEntity],
    seen: set[str],
    *,
    swept: bool,
    removed: frozenset[str],
) -> list[str]:
    """Keys of stored entities that are gone: those a whole list lacks, or those the changes name."""
    named = {entity_key(scope.source_id, kind, external_id) for external_id in removed}
    return [key for key, before in known.items() if not before.deleted and key not in seen and (swept or key in named)]


def _completed(
    scope: Scope,
    kind: EntityType,
    found: Iterable[Entity],
    known: Mapping[str, StoredEntity],
    read: Collection[Resource],
) -> Iterator[Entity]:
    """The entities, with what this reading left unread of them as it is stored."""
    for entity in found:
        before = known.get(entity_key(scope.source_id, kind, entity.id))
        if isinstance(entity, Identity) and before is not None:
            yield kept_from(IDENTITY.decode(before.document), entity, read)
        else:
            yield entity


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
