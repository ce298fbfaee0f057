"""Capture: read the tenant once, whole, into an immutable set of raw pages.

A comparison captures in a step of its own, so that both branches see the same input; otherwise the load stage
captures and loads in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pipeline import events
from pipeline.domain.capture import RESOURCES, ReadOutcome, Resource, SyncType
from pipeline.domain.runs import ClaimedStep, Run
from pipeline.events import Event, JsonValue
from pipeline.providers.source import IN_FULL, Since, TenantSource
from pipeline.stages.execution import Applied, Apply
from pipeline.storage.captures import CaptureSpool, NewCapture, store_capture, store_pages
from pipeline.storage.shadow import create_shadow

OpenSource = Callable[[Run], TenantSource]
"""The tenant a run is about, ready to be read."""


def wanted(sync_types: tuple[SyncType, ...]) -> tuple[Resource, ...]:
    """The resources the sync types read, in a fixed order."""
    return tuple(resource for kind in SyncType if kind in sync_types for resource in RESOURCES[kind])


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshCapture:
    """A capture just read and not yet stored."""

    spool: CaptureSpool
    outcomes: Mapping[Resource, ReadOutcome]

    def row(self, run: Run) -> NewCapture:
        return NewCapture(run_id=run.id, pages=len(self.spool), raw_bytes=self.spool.raw_bytes)

    def store_pages(self, connection: Connection, run: Run) -> list[Event]:
        """Writes the pages, once the row stands, and gives the events that tell of the capture."""
        store_pages(connection, run.id, self.spool)
        return [events.fetched(kind, {**run.names(), "complete": self._complete(kind)}) for kind in run.sync_types]

    def _complete(self, kind: SyncType) -> bool:
        return all(self.outcomes[resource].complete for resource in RESOURCES[kind] if resource in self.outcomes)

    def detail(self) -> dict[str, JsonValue]:
        """What a person wants to know of it: pages, raw bytes, why anything is incomplete, and what was read as its
        changes only.
        """
        missing: dict[str, JsonValue] = {
            resource.value: outcome.reason for resource, outcome in self.outcomes.items() if not outcome.complete
        }
        changes: list[JsonValue] = [name.value for name, outcome in self.outcomes.items() if outcome.changes_only]
        return {"pages": len(self.spool), "bytes": self.spool.raw_bytes, "incomplete": missing, "changes_of": changes}


def read_tenant(run: Run, open_source: OpenSource, *, since: Since = IN_FULL) -> FreshCapture:
    """Reads every resource the run is about; what could not be read is in the outcomes with its reason."""
    spool = CaptureSpool()
    try:
        outcomes = open_source(run).read(wanted(run.sync_types), spool.add, since=since)
    except BaseException:
        spool.close()
        raise
    return FreshCapture(spool=spool, outcomes=outcomes)


def capture_tenant(step: ClaimedStep, now: datetime, *, open_source: OpenSource) -> Apply:
    """Captures for a comparison, and copies the live rows into the candidate's space before anything changes them."""
    capture = read_tenant(step.run, open_source)

    def apply(connection: Connection) -> Applied:
        with capture.spool:
            store_capture(connection, step.run.scope, capture.row(step.run), capture.outcomes, now)
            told = capture.store_pages(connection, step.run)
        create_shadow(connection, step.run.scope, step.run.id)
        return Applied(detail=capture.detail(), events=told)

    return apply
