"""Link: relationships as a set difference against what is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import Connection

from pipeline import events
from pipeline.domain.capture import Changes, Edges, ReadOutcome, Resource
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import ClaimedStep, Scope
from pipeline.events import JsonValue
from pipeline.stages.capture import OpenSource
from pipeline.stages.execution import Applied, Apply
from pipeline.stages.load import stored_capture
from pipeline.stages.touched import Touched, handed_on, taken_over, together
from pipeline.storage.database import Database
from pipeline.storage.relationships import Ends, Pair, change_pairs, pairs_at, stored_pairs


@dataclass(frozen=True, kw_only=True, slots=True)
class Linked:
    """How many relationships of each type were written or taken away, and whose they were."""

    counts: Mapping[RelationshipType, int]
    touched: Touched = None


Linker = Callable[[Connection, Scope, Edges, frozenset[RelationshipType]], Linked]
"""Makes the stored relationships equal to the edges; removes only of the complete types; tells what it wrote."""

KINDS = tuple(RelationshipType)
NOBODY: frozenset[str] = frozenset()
NO_ENDS: Mapping[RelationshipType, Ends] = MappingProxyType({})

NEEDS: Mapping[RelationshipType, tuple[Resource, ...]] = {
    RelationshipType.MEMBER_OF: (Resource.GROUPS, Resource.GROUP_MEMBERS),
    RelationshipType.ASSIGNED_ROLE: (
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
        Resource.ROLE_ASSIGNMENTS,
        Resource.ROLE_DEFINITIONS,
    ),
    RelationshipType.HAS_LICENSE: (Resource.USERS,),
    RelationshipType.POLICY_APPLIES_TO: (Resource.POLICIES,),
    RelationshipType.SITE_OF: (Resource.SITES,),
    RelationshipType.CONTRACT_OF: (Resource.CONTRACTS,),
}
"""What must have been read to its end before a relationship of the type may be taken away."""


ENDS: Mapping[RelationshipType, tuple[EntityType, tuple[EntityType, ...]]] = {
    RelationshipType.MEMBER_OF: (EntityType.GROUPS, (EntityType.IDENTITIES, EntityType.GROUPS)),
    RelationshipType.ASSIGNED_ROLE: (EntityType.ROLES, (EntityType.IDENTITIES, EntityType.GROUPS)),
    RelationshipType.HAS_LICENSE: (EntityType.LICENSES, (EntityType.IDENTITIES,)),
    RelationshipType.POLICY_APPLIES_TO: (
        EntityType.POLICIES,
        (EntityType.IDENTITIES, EntityType.GROUPS, EntityType.ROLES),
    ),
    RelationshipType.SITE_OF: (EntityType.COMPANIES, (EntityType.SITES,)),
    RelationshipType.CONTRACT_OF: (EntityType.COMPANIES, (EntityType.CONTRACTS,)),
}
"""What the parent and the children of a relationship can be."""


DECIDING = frozenset({RelationshipType.MEMBER_OF, RelationshipType.ASSIGNED_ROLE})
"""The relationships that verdicts on their children rest on; licences and policies stand on the entities themselves."""


def complete_types(outcomes: Mapping[Resource, ReadOutcome]) -> frozenset[RelationshipType]:
    """The relationship types whose resources were all read whole and to the end."""
    whole = {resource for resource, outcome in outcomes.items() if outcome.complete and not outcome.changes_only}
    return frozenset(kind for kind, needs in NEEDS.items() if whole.issuperset(needs))


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
    source = open_source(step.run)
    edges, complete = source.edges(stored.pages()), complete_types(stored.outcomes)
    name = step.run.parts[step.ref.lane].linker
    partly = any(outcome.changes_only for outcome in stored.outcomes.values())
    changes = source.changes(stored.pages()) if partly else None

    def apply(connection: Connection) -> Applied:
        if changes is None:
            linked = linkers[name](connection, step.run.scope, edges, complete)
        else:
            linked = link_changes(connection, step.run.scope, edges, complete, changes)
        counts: dict[str, JsonValue] = {kind.value: count for kind, count in linked.counts.items()}
        touched = handed_on(together(taken_over(step.handed), linked.touched))
        told = [events.linked(kind, step.run.names()) for kind in step.run.sync_types]
        return Applied(detail={"linker": name, "written": counts, "touched": touched}, events=told)

    return apply


def link_in_bulk(connection: Connection, scope: Scope, edges: Edges, complete: frozenset[RelationshipType]) -> Linked:
    """Two statements: read the stored pairs, write what differs."""
    return _write(connection, scope, plan_links(scope, edges, complete, stored_pairs(connection, scope, KINDS)))


def link_changes(
    connection: Connection, scope: Scope, edges: Edges, complete: frozenset[RelationshipType], changes: Changes
) -> Linked:
    """As ``link_in_bulk``, where some types were read as their changes: of those it reads the touched pairs alone."""
    ends = touched_ends(scope, edges, complete, changes)
    stored = pairs_at(connection, scope, [kind for kind in KINDS if kind not in ends], ends)
    return _write(connection, scope, plan_links(scope, edges, complete, stored, ends))


def _write(connection: Connection, scope: Scope, planned: LinkChanges) -> Linked:
    if planned.new or planned.gone:
        change_pairs(connection, scope, new=planned.new, gone=planned.gone)
    return Linked(counts=planned.counts(), touched=planned.touched())


def touched_ends(
    scope: Scope, edges: Edges, complete: Collection[RelationshipType], changes: Changes
) -> dict[RelationshipType, Ends]:
    """By type, the ends whose relationships the capture tells wholly. Pure.

    Without a type of which the capture holds the whole, or edges at other ends: its stored pairs are needed, all of
    them.
    """
    found: dict[RelationshipType, Ends] = {}
    for kind in KINDS:
        parents, children = changes.parents.get(kind, NOBODY), changes.children.get(kind, NOBODY)
        told = all(edge.parent_id in parents or edge.child_id in children for edge in edges.get(kind, ()))
        if kind not in complete and told:
            above, below = ENDS[kind]
            found[kind] = Ends(
                parents={entity_key(scope.source_id, above, external_id) for external_id in parents},
                children={
                    entity_key(scope.source_id, kind_below, external_id)
                    for external_id in children
                    for kind_below in below
                },
            )
    return found


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

    def touched(self) -> frozenset[str]:
        """The keys of users and groups that came into a group or role, or left one."""
        return frozenset(pair[1] for kind, pair in (*self.new, *self.gone) if kind in DECIDING)


def plan_links(
    scope: Scope,
    edges: Edges,
    complete: Collection[RelationshipType],
    stored: Mapping[RelationshipType, set[Pair]],
    ends: Mapping[RelationshipType, Ends] = NO_ENDS,
) -> LinkChanges:
    """What to add and to take away so that the stored pairs equal the edges. Pure.

    Taken away is what a complete type lacks, and of the others what is missing at one of the ``ends``.
    """

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
        elif kind in ends:
            at = ends[kind]
            gone.extend((kind, pair) for pair in known - wanted if pair[0] in at.parents or pair[1] in at.children)
    return LinkChanges(new=tuple(new), gone=tuple(gone))
