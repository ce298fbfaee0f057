"""Comparisons as stored, and what the ledger knows of the two lanes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from pipeline.domain.runs import Lane, Run, StepState
from pipeline.storage.tables import comparisons


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneReport:
    """How one branch of a comparison went. ``error`` is its class and sentence where it failed."""

    state: StepState
    seconds: float
    queries: int
    query_seconds: float
    error: str
    analysis: Mapping[str, object]
    """What its analyze step left in the ledger; empty where it did not get so far."""

    def performance(self) -> dict[str, float | int]:
        """Seconds, statements and seconds spent in them, over the whole branch."""
        return {"seconds": self.seconds, "queries": self.queries, "query_seconds": self.query_seconds}


LANES = text("""
SELECT lane, bool_or(state = 'failed') AS failed, coalesce(sum(seconds), 0) AS seconds,
       coalesce(sum(queries), 0) AS queries, coalesce(sum(query_seconds), 0) AS query_seconds,
       coalesce((jsonb_agg(detail) FILTER (WHERE stage = 'analyze'))->0, '{}') AS analysis,
       coalesce(string_agg(error_code || ': ' || error_message, ' ') FILTER (WHERE state = 'failed'), '') AS error
  FROM run_steps WHERE run_id = :run_id AND lane IN ('control', 'candidate') GROUP BY lane
""")


def lane_reports(connection: Connection, run_id: UUID) -> dict[Lane, LaneReport]:
    """Both lanes of the run."""
    return {
        Lane(row.lane): LaneReport(
            state=StepState.FAILED if row.failed else StepState.DONE,
            seconds=row.seconds,
            queries=row.queries,
            query_seconds=row.query_seconds,
            error=row.error,
            analysis=row.analysis,
        )
        for row in connection.execute(LANES, {"run_id": run_id})
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredComparison:
    """``result`` is ``match``, ``mismatch`` or ``candidate_error``; ``declared`` of the discrepancies are known."""

    control: str
    candidate: str
    result: str
    discrepancies: int
    declared: int
    report: Mapping[str, Any]


def store_comparison(connection: Connection, run: Run, comparison: StoredComparison, now: datetime) -> None:
    connection.execute(
        insert(comparisons).values(
            run_id=run.id,
            tenant_id=run.scope.tenant_id,
            control=comparison.control,
            candidate=comparison.candidate,
            result=comparison.result,
            discrepancies=comparison.discrepancies,
            declared=comparison.declared,
            report=json.loads(json.dumps(comparison.report)),
            created_at=now,
        )
    )
