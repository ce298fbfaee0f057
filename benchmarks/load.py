"""The load step alone: recorded pages of users decoded, kept as a capture and stored as entities, on one core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from sqlalchemy import text

from benchmarks import floor
from benchmarks.grounds import Grounds, add_new_branch_tenant, empty, fresh_database
from benchmarks.input import TenantPages, tenant_pages
from benchmarks.measuring import Work, alternate
from benchmarks.rows import Goal, Measure, Row
from pipeline import wiring
from pipeline.domain.capture import RESOURCES, SyncType
from pipeline.domain.runs import Run, StepRef
from pipeline.providers.memory import MemorySource
from pipeline.providers.microsoft365 import normalize
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.stages.execution import Outcome
from pipeline.storage.schedules import request_sync
from pipeline.storage.tables import entities

USERS = 50_000
REPETITIONS = 5
GOAL = Goal(measure=Measure.MEDIAN, at_most=50)
"""20,000 users a second."""


def measure(grounds: Grounds) -> Iterator[Row]:
    """One row, in milliseconds for a thousand users; the floor decodes the same pages and copies the same rows."""
    whole = tenant_pages(USERS, wiring.now().replace(microsecond=0))
    wanted = RESOURCES[SyncType.IDENTITIES]
    found = replace(whole, pages=tuple(page for page in whole.pages if page.resource in wanted))
    with fresh_database(grounds.database_url) as url:
        source = MemorySource(found.pages, found.outcomes, normalize)

        def open_source(_run: Run) -> MemorySource:
            return source

        parts = wiring.build(grounds.settings.model_copy(update={"database_url": url}), open_source=open_source)
        try:
            bench = Bench(parts=parts, found=found)
            bench.never_seen()()
            with parts.database.begin() as connection:
                written = floor.rows_of(connection, entities)
                floor.lay(connection)
            paired = alternate(bench.never_seen, partial(bench.cleared, written), repetitions=REPETITIONS)
        finally:
            parts.close()
    per_thousand = 1000 / (USERS / 1000)
    yield Row(
        name="load",
        size=f"{USERS:,} users",
        median=median(paired.measured) * per_thousand,
        unit="ms per 1,000 users",
        floor=median(paired.floor) * per_thousand,
        ratio=paired.ratio,
        goal=GOAL,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A tenant's pages of users, and the pipeline over a source that gives just these."""

    parts: wiring.Wiring
    found: TenantPages

    def never_seen(self) -> Work:
        """A tenant in empty tables, routed and about to be loaded."""
        empty(self.parts.database)
        scope = add_new_branch_tenant(self.parts.database)
        now = self.parts.executor.clock()
        with self.parts.database.begin() as connection:
            connection.execute(text("UPDATE schedules SET next_due_at = 'infinity'"))
            request_sync(connection, scope, [SyncType.IDENTITIES], now)
        (opened,) = open_due_runs(self.parts.database, now, max_jobs=1)
        (route,) = next_refs(self.parts.database, opened.run_id)
        self.parts.executor.run(route)
        (load,) = next_refs(self.parts.database, opened.run_id)
        return partial(self._load, load)

    def _load(self, step: StepRef) -> None:
        if self.parts.executor.run(step).outcome is not Outcome.DONE:
            raise RuntimeError("the measured step did not succeed")

    def cleared(self, written: floor.Written) -> Work:
        with self.parts.database.begin() as connection:
            floor.clear(connection)
        return partial(floor.load, self.parts.database, self.found.pages, [written])
