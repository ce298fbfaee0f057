"""One tenant end to end in one process: route, load, link, analyze, alert, as a ratio to the floor beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from sqlalchemy import text

from benchmarks import floor
from benchmarks.grounds import Grounds, add_new_branch_tenant, empty, fresh_database
from benchmarks.input import TenantPages, tenant_pages
from benchmarks.measuring import Paired, Work, alternate
from benchmarks.rows import Goal, Measure, Row
from pipeline import wiring
from pipeline.domain.runs import Run, Scope
from pipeline.providers.memory import MemorySource
from pipeline.providers.microsoft365 import normalize
from pipeline.stages.local import sync_here

GOAL = Goal(measure=Measure.RATIO, at_most=3)
REPETITIONS = {100: 15, 1_000: 11, 10_000: 5}
"""Users → repetitions of each side."""


def measure(grounds: Grounds) -> Iterator[Row]:
    """Two rows a size: the first sync of a tenant, and the next one with nothing changed."""
    for users, repetitions in REPETITIONS.items():
        found = tenant_pages(users, wiring.now().replace(microsecond=0))
        with fresh_database(grounds.database_url) as url:
            parts = _wired(grounds, url, found)
            try:
                bench = Bench(parts=parts, found=found)
                size = f"{users:,} users"
                yield _row("end_to_end", size, bench.first_sync(repetitions), GOAL)
                yield _row("end_to_end re-sync", size, bench.next_sync(repetitions), None)
            finally:
                parts.close()


def _wired(grounds: Grounds, url: str, found: TenantPages) -> wiring.Wiring:
    source = MemorySource(found.pages, found.outcomes, normalize)

    def open_source(_run: Run) -> MemorySource:
        return source

    return wiring.build(grounds.settings.model_copy(update={"database_url": url}), open_source=open_source)


def _row(name: str, size: str, paired: Paired, goal: Goal | None) -> Row:
    return Row(
        name=name,
        size=size,
        median=median(paired.measured) * 1000,
        unit="ms",
        floor=median(paired.floor) * 1000,
        ratio=paired.ratio,
        goal=goal,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A tenant's pages, and the pipeline over a source that gives just these."""

    parts: wiring.Wiring
    found: TenantPages

    def first_sync(self, repetitions: int) -> Paired:
        """A tenant never seen before, in empty tables, against the whole floor."""
        self._never_seen()()
        written = self._written()
        with self.parts.database.begin() as connection:
            floor.lay(connection)
        return alternate(self._never_seen, partial(self._cleared, written), repetitions=repetitions)

    def next_sync(self, repetitions: int) -> Paired:
        """The tenant of ``first_sync`` again, unchanged, against decoding its pages and reading its rows back."""
        self._never_seen()()
        again = partial(self._sync, _only_scope(self.parts))
        unchanged = partial(floor.work_unchanged, self.parts.database, self.found.pages)
        paired = alternate(lambda: again, lambda: unchanged, repetitions=repetitions)
        _require_success(self.parts)
        return paired

    def _never_seen(self) -> Work:
        empty(self.parts.database)
        return partial(self._sync, add_new_branch_tenant(self.parts.database))

    def _sync(self, scope: Scope) -> None:
        sync_here(self.parts.database, self.parts.executor, scope)

    def _written(self) -> Sequence[floor.Written]:
        _require_success(self.parts)
        with self.parts.database.begin() as connection:
            return [floor.rows_of(connection, table) for table in floor.TABLES]

    def _cleared(self, written: Sequence[floor.Written]) -> Work:
        with self.parts.database.begin() as connection:
            floor.clear(connection)
        return partial(floor.work, self.parts.database, self.found.pages, written)


def _only_scope(parts: wiring.Wiring) -> Scope:
    with parts.database.begin() as connection:
        row = connection.execute(text("SELECT tenant_id, id FROM data_sources")).one()
    return Scope(tenant_id=row.tenant_id, source_id=row.id)


def _require_success(parts: wiring.Wiring) -> None:
    """A run that failed early would look fast."""
    with parts.database.begin() as connection:
        states = set(connection.execute(text("SELECT state FROM runs")).scalars())
    if states != {"succeeded"}:
        raise RuntimeError(f"a measured run did not succeed: {sorted(states)}")
