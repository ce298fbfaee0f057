"""Load: the capture in the domain's terms, written in bulk; what is unchanged costs one look at its hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from datetime import datetime

from sqlalchemy import Connection

from pipeline import events
from pipeline.domain.capture import Entities, Page, ReadOutcome, Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import Branch, ClaimedStep, Scope, Trigger
from pipeline.errors import PermanentError
from pipeline.events import Event, JsonValue
from pipeline.providers.source import TenantSource
from pipeline.stages.cadence import Cadence, changes_suffice
from pipeline.stages.capture import FreshCapture, OpenSource, read_tenant, wanted
from pipeline.stages.entity_changes import EntityChanges, partial_types, plan_changes, whole_types
from pipeline.stages.execution import Applied, Apply, space_of
from pipeline.stages.touched import handed_on
from pipeline.storage.captures import StoredCapture, load_capture
from pipeline.storage.database import Database
from pipeline.storage.entities import insert_entities, stored_hashes, stored_in_part
from pipeline.storage.inputs import settle_reading


def stored_capture(database: Database, step: ClaimedStep) -> StoredCapture:
    """The run's capture; raises ``PermanentError`` when it is past its retention."""
    with database.begin() as connection:
        stored = load_capture(connection, step.run.scope, step.run.id)
    if stored is None:
        raise PermanentError("The run's capture is gone; start a new run with `mspbyte sync`.")
    return stored


def load_entities(
    step: ClaimedStep, now: datetime, *, database: Database, open_source: OpenSource, cadence: Cadence
) -> Apply:
    """Writes what is new or changed and marks what is gone, the latter only where the reading says so."""
    fresh: FreshCapture | None = None
    capture: FreshCapture | StoredCapture
    if step.run.branch is Branch.COMPARISON:
        capture = stored_capture(database, step)
        pages = capture.pages
    else:
        capture = fresh = read_tenant(step.run, open_source, since=_since(step, now, cadence))
        pages = fresh.spool.pages
    with ExitStack() as unless_planned:
        if fresh is not None:
            unless_planned.enter_context(fresh.spool)
        changes = _plan(step, capture.outcomes, pages, database=database, source=open_source(step.run))
        unless_planned.pop_all()

    def apply(connection: Connection) -> Applied:
        with fresh.spool if fresh else nullcontext():
            return _applied(connection, step, now, capture=capture, changes=changes)

    return apply


def _applied(
    connection: Connection,
    step: ClaimedStep,
    now: datetime,
    *,
    capture: FreshCapture | StoredCapture,
    changes: EntityChanges,
) -> Applied:
    """Writes the changes, and a fresh capture with them."""
    fresh = capture if isinstance(capture, FreshCapture) else None
    told: list[Event] = []
    detail: dict[str, JsonValue] = {}
    if changes.new:
        insert_entities(connection, step.run.scope, changes.new, now)
    settle_reading(
        connection,
        step.run.scope,
        capture.outcomes,
        changed=changes.changed,
        gone=changes.gone,
        capture=fresh.row(step.run) if fresh else None,
        now=now,
    )
    if fresh is not None:
        told += fresh.store_pages(connection, step.run)
        detail |= fresh.detail()
    told += [events.processed(kind, step.run.names()) for kind in step.run.sync_types]
    detail |= {"new": len(changes.new), "changed": len(changes.changed), "gone": len(changes.gone)}
    detail["touched"] = handed_on(changes.touched())
    return Applied(detail=detail, events=told, entities=changes.totals)


def _since(step: ClaimedStep, now: datetime, cadence: Cadence) -> Mapping[Resource, str]:
    """What need not be read whole. Who asks for a sync by hand is told the truth of now, sign-ins included."""
    if step.run.trigger is Trigger.MANUAL or step.run.parts[step.ref.lane].linker not in cadence.linkers:
        return {}
    return changes_suffice(wanted(step.run.sync_types), step.last_readings, now, whole_every=cadence.whole_every)


def _plan(
    step: ClaimedStep,
    outcomes: Mapping[Resource, ReadOutcome],
    pages: Callable[[], Iterable[Page]],
    *,
    database: Database,
    source: TenantSource,
) -> EntityChanges:
    """Reads what is stored, as much of it as the capture speaks of, and decides."""
    scope = step.run.scope
    entities = source.entities(pages())
    whole, partly = whole_types(outcomes), partial_types(outcomes)
    if not partly:
        with database.begin(space_of(step.ref)) as connection:
            return plan_changes(scope, entities, outcomes, stored_hashes(connection, scope, whole))
    removed = source.changes(pages()).removed
    touched = list(_keys(scope, partly, entities, removed))
    with database.begin(space_of(step.ref)) as connection:
        stored, standing = stored_in_part(connection, scope, whole, partly, touched)
    return plan_changes(scope, entities, outcomes, stored, removed=removed, standing=standing)


def _keys(
    scope: Scope,
    kinds: Iterable[EntityType],
    entities: Entities,
    removed: Mapping[EntityType, frozenset[str]],
) -> Iterator[str]:
    for kind in kinds:
        for external_id in {*entities.get(kind, {}), *removed.get(kind, ())}:
            yield entity_key(scope.source_id, kind, external_id)
