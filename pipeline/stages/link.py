"""Link: relationships as a set difference against what is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection

from pipeline import events
from pipeline.domain.capture import Edges, ReadOutcome, Resource
from pipeline.domain.entities import RelationshipType
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import ClaimedStep, Scope
from pipeline.events import JsonValue
from pipeline.stages.capture import OpenSource
from pipeline.stages.execution import Applied, Apply
from pipeline.stages.load import stored_capture
from pipeline.storage.database import Database
from pipeline.storage.relationships import Pair, change_pairs, stored_pairs

Linker = Callable[[Connection, Scope, Edges, frozenset[RelationshipType]], Mapping[RelationshipType, int]]
"""Makes the stored relationships equal to the edges; removes only of the complete types; tells how many it wrote."""

NEEDS: Mapping[RelationshipType, tuple[Resource, ...]] = {
    RelationshipType.MEMBER_OF: (Resource.GROUPS, Resource.GROUP_MEMBERS),
    RelationshipType.ASSIGNED_ROLE: (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS),
    RelationshipType.HAS_LICENSE: (Resource.USERS,),
    RelationshipType.POLICY_APPLIES_TO: (Resource.POLICIES,),
}
"""What must have been read to its end before a relationship of the type may be taken away."""


def complete_types(outcomes: Mapping[Resource, ReadOutcome]) -> frozenset[RelationshipType]:
    """The relationship types whose resources were all read to the end."""
    return frozenset(
        kind
        for kind, needs in NEEDS.items()
        if all(resource in outcomes and outcomes[resource].complete for resource in needs)
    )


def link_entities(
    step: ClaimedStep,
    now: datetime,  # noqa: ARG001 - every stage is handed the time
    *,
    database: Database,
    open_source: OpenSource,
    linkers: Mapping[str, Linker],
) -> Apply:
    """Writes the relationships of the capture with the linker the route chose."""
    stored = stored_capture(database, step)
    edges = open_source(step.run).edges(stored.pages())
    name = step.run.parts[step.ref.lane].linker

    def apply(connection: Connection) -> Applied:
        written = linkers[name](connection, step.run.scope, edges, complete_types(stored.outcomes))
        counts: dict[str, JsonValue] = {kind.value: count for kind, count in written.items()}
        told = [events.linked(kind, step.run.names()) for kind in step.run.sync_types]
        return Applied(detail={"linker": name, "written": counts}, events=told)

    return apply


def link_in_bulk(
    connection: Connection, scope: Scope, edges: Edges, complete: frozenset[RelationshipType]
) -> Mapping[RelationshipType, int]:
    """Two statements: read the stored pairs, write what differs."""
    changes = plan_links(scope, edges, complete, stored_pairs(connection, scope, tuple(RelationshipType)))
    if changes.new or changes.gone:
        change_pairs(connection, scope, new=changes.new, gone=changes.gone)
    return changes.counts()


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkChanges:
    new: tuple[tuple[RelationshipType, Pair], ...]
    gone: tuple[tuple[RelationshipType, Pair], ...]

    def counts(self) -> dict[RelationshipType, int]:
        """Rows written or taken away, by type."""
        found = dict.fromkeys(RelationshipType, 0)
        for kind, _ in (*self.new, *self.gone):
            found[kind] += 1
        return found


def plan_links(
    scope: Scope,
    edges: Edges,
    complete: Collection[RelationshipType],
    stored: Mapping[RelationshipType, set[Pair]],
) -> LinkChanges:
    """What to add and to take away so that the stored pairs equal the edges. Pure."""

    key = lru_cache(maxsize=None)(lambda kind, external_id: entity_key(scope.source_id, kind, external_id))
    new: list[tuple[RelationshipType, Pair]] = []
    gone: list[tuple[RelationshipType, Pair]] = []
    for kind in RelationshipType:
        wanted = {
            (key(edge.parent_type, edge.parent_id), key(edge.child_type, edge.child_id)) for edge in edges.get(kind, ())
        }
        known = stored.get(kind, set())
        new.extend((kind, pair) for pair in wanted - known)
        if kind in complete:
            gone.extend((kind, pair) for pair in known - wanted)
    return LinkChanges(new=tuple(new), gone=tuple(gone))
