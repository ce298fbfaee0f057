"""Runs as a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, text

from pipeline.domain.runs import RunState, Scope
from pipeline.storage.reports.prefixes import FOUND_AT_MOST, id_range, only_one
from pipeline.storage.reports.reach import Reach

LISTING = "mspbyte runs list"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """One run in a line. ``seconds`` is from its opening to its end, or to ``now`` while it runs."""

    id: UUID
    tenant: str
    tenant_id: int
    source_id: int
    branch: str | None
    trigger: str
    sync_types: tuple[str, ...]
    compare: bool
    state: RunState
    stage: str
    """Where it is, or the last stage that did not get done; empty when all are done."""
    seconds: float
    queries: int
    query_seconds: float
    error_code: str | None
    error_message: str | None
    trace_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def scope(self) -> Scope:
        return Scope(tenant_id=self.tenant_id, source_id=self.source_id)


SUMMARY = """
SELECT r.id, r.tenant_id, r.source_id, t.name AS tenant, r.branch, r.trigger, r.sync_types, r.compare, r.state,
       r.error_code, r.error_message, r.trace_id, r.created_at, r.started_at, r.finished_at,
       coalesce(s.queries, 0) AS queries, coalesce(s.query_seconds, 0) AS query_seconds, coalesce(s.stage, '') AS stage
  FROM runs r JOIN tenants t ON t.id = r.tenant_id
  LEFT JOIN LATERAL (
       SELECT sum(p.queries) AS queries, sum(p.query_seconds) AS query_seconds,
              (array_agg(p.stage ORDER BY p.position) FILTER (WHERE p.state NOT IN ('done', 'skipped')))[1] AS stage
         FROM run_steps p WHERE p.run_id = r.id) s ON true
"""
LIST = text(
    SUMMARY
    + """ WHERE CAST(:tenant_id AS int) IS NULL OR r.tenant_id = :tenant_id
 ORDER BY r.created_at DESC, r.id LIMIT :most"""
)
ONE = text(SUMMARY + " WHERE r.id = :run_id")
BEGIN_WITH = text("SELECT id FROM runs WHERE id BETWEEN :first AND :last ORDER BY id LIMIT :most")


def list_runs(connection: Connection, reach: Reach, now: datetime, *, most: int | None = None) -> list[RunSummary]:
    """Runs, newest first: one statement."""
    rows = connection.execute(LIST, {"tenant_id": reach.tenant_id, "most": most})
    return [_summary(row, now) for row in rows]


def find_run(connection: Connection, beginning: str, now: datetime) -> RunSummary:
    """The run whose id begins so; raises ``UserError`` when there is none, or more than one."""
    ids = id_range(beginning, "run", LISTING)
    values = {"first": ids.first, "last": ids.last, "most": FOUND_AT_MOST}
    found = only_one(connection.execute(BEGIN_WITH, values).scalars().all(), beginning, "run", LISTING)
    return read_run(connection, found, now)


def read_run(connection: Connection, run_id: UUID, now: datetime) -> RunSummary:
    """The run of this id, which exists."""
    return _summary(connection.execute(ONE, {"run_id": run_id}).one(), now)


def _summary(row: Row[tuple[object, ...]], now: datetime) -> RunSummary:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    ended: datetime = values["finished_at"] or now
    return RunSummary(
        **{
            **values,
            "sync_types": tuple(values["sync_types"]),
            "state": RunState(values["state"]),
            "seconds": round((ended - values["created_at"]).total_seconds(), 3),
            "query_seconds": round(values["query_seconds"], 6),
        }
    )
