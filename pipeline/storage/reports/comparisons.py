"""Comparisons as pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, select

from pipeline.storage.reports.reach import Reach
from pipeline.storage.tables import comparisons, tenants


class Cause(msgspec.Struct, frozen=True):
    """Discrepancies that have one cause; ``declared`` is why they are known, empty where they are not."""

    cause: str
    weight: str
    declared: str
    count: int


class Discrepancy(msgspec.Struct, frozen=True):
    subject: str
    kind: str
    key: str
    weight: str
    declared: str


class Performance(msgspec.Struct, frozen=True):
    """A branch over all its stages."""

    seconds: float = 0.0
    queries: int = 0
    query_seconds: float = 0.0


class _Report(msgspec.Struct):
    causes: list[Cause] = []
    discrepancies: list[Discrepancy] = []
    candidate_error: str = ""
    performance: dict[str, Performance] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonPage:
    """``control`` and ``candidate`` name the analyzers; ``result`` is match, mismatch or candidate_error."""

    run: UUID
    tenant: str
    created_at: datetime
    control: str
    candidate: str
    result: str
    discrepancies: int
    declared: int
    candidate_error: str
    causes: tuple[Cause, ...]
    examples: tuple[Discrepancy, ...]
    performance_control: Performance
    performance_candidate: Performance


_ALL = select(comparisons, tenants.c.name).join(tenants, tenants.c.id == comparisons.c.tenant_id)


def latest_comparison(connection: Connection, reach: Reach) -> ComparisonPage | None:
    """The newest of a tenant, or of all."""
    asked = _ALL if reach.tenant_id is None else _ALL.where(comparisons.c.tenant_id == reach.tenant_id)
    row = connection.execute(asked.order_by(comparisons.c.created_at.desc()).limit(1)).first()
    return None if row is None else _page(row)


def comparison_of(connection: Connection, run_id: UUID) -> ComparisonPage | None:
    """The one of a run, ``None`` when the run compared nothing."""
    row = connection.execute(_ALL.where(comparisons.c.run_id == run_id)).first()
    return None if row is None else _page(row)


def _page(row: Row[tuple[object, ...]]) -> ComparisonPage:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    report = msgspec.convert(values["report"], _Report)
    return ComparisonPage(
        run=values["run_id"],
        tenant=values["name"],
        created_at=values["created_at"],
        control=values["control"],
        candidate=values["candidate"],
        result=values["result"],
        discrepancies=values["discrepancies"],
        declared=values["declared"],
        candidate_error=report.candidate_error,
        causes=tuple(report.causes),
        examples=tuple(report.discrepancies),
        performance_control=report.performance.get("control", Performance()),
        performance_candidate=report.performance.get("candidate", Performance()),
    )
