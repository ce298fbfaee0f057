"""Compare: what the candidate would have written against what the control wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from pipeline import events
from pipeline.comparison.diff import AlertKey, AlertSide, BranchOutcome, Declared, Discrepancy, Kind, diff
from pipeline.domain.findings import CANNOT_TELL, OUTLIVED, AlertType
from pipeline.domain.runs import ClaimedStep, Lane, Scope, StepState
from pipeline.events import JsonValue
from pipeline.stages.alert import AnalysisDetail
from pipeline.stages.execution import Applied, Apply
from pipeline.storage.bulk import fetched_rows
from pipeline.storage.comparisons import LaneReport, StoredComparison, lane_reports, store_comparison
from pipeline.storage.database import Database
from pipeline.storage.shadow import drop_shadow, shadow_name

SHOWN = 1000
"""Discrepancies kept one by one in a report; the counts by cause hold all of them."""


DeclaredInRun = Callable[[ClaimedStep, datetime, Kind, AlertKey, frozenset[str]], str]
"""Why a difference is known in this run, at this time; empty where it is not."""


def compare_branches(step: ClaimedStep, now: datetime, *, database: Database, declared: DeclaredInRun) -> Apply:
    """Stores the comparison of the run and drops the candidate's space."""
    with database.begin() as connection:
        lanes = lane_reports(connection, step.run.id)
    candidate = lanes[Lane.CANDIDATE]
    found: tuple[Discrepancy, ...] = ()
    if candidate.state is not StepState.FAILED:
        with database.begin() as connection:
            control_outcome = branch_outcome(connection, step.run.scope)
        with database.begin(shadow_name(step.run.id)) as connection:
            candidate_outcome = branch_outcome(connection, step.run.scope)
        found = diff(control_outcome, candidate_outcome, _with_silence(partial(declared, step, now), lanes))
    comparison = _comparison(step, lanes, found)

    def apply(connection: Connection) -> Applied:
        store_comparison(connection, step.run, comparison, now)
        drop_shadow(connection, step.run.id)
        summary: dict[str, JsonValue] = {
            "result": comparison.result,
            "discrepancies": comparison.discrepancies,
            "declared": comparison.declared,
        }
        return Applied(detail=summary, events=[events.comparison_completed({**step.run.names(), **summary})])

    return apply


def branch_outcome(connection: Connection, scope: Scope) -> BranchOutcome:
    """What the branch of this connection's space holds: three statements."""
    values = {"source_id": scope.source_id}
    with fetched_rows(
        connection,
        "SELECT entity_type || '/' || external_id, encode(data_hash, 'hex') FROM entities"
        " WHERE source_id = %(source_id)s AND deleted_at IS NULL",
        values,
    ) as rows:
        entities = {str(key): str(digest) for key, digest in rows}
    with fetched_rows(
        connection,
        "SELECT type || '/' || parent_id || '/' || child_id FROM relationships WHERE source_id = %(source_id)s",
        values,
    ) as rows:
        pairs = frozenset(str(pair) for (pair,) in rows)
    with fetched_rows(
        connection,
        "SELECT a.alert_type, a.entity_type || '/' || a.external_id, a.subject, a.severity, a.reasons, f.id IS NULL"
        "  FROM alerts a LEFT JOIN findings f ON f.id = a.id"
        " WHERE a.source_id = %(source_id)s AND a.status IN ('active', 'acknowledged')",
        values,
    ) as rows:
        alerts = {
            AlertKey(alert_type=AlertType(str(kind)), entity=str(entity), subject=str(subject)): AlertSide(
                severity=str(severity), codes=_codes(reasons, outlived=bool(outlived))
            )
            for kind, entity, subject, severity, reasons, outlived in rows
        }
    return BranchOutcome(entities=entities, relationships=pairs, alerts=alerts)


def _codes(reasons: object, *, outlived: bool) -> frozenset[str]:
    """The alert's reason codes, and one of ours when its branch's last analysis has no finding for it."""
    told = frozenset(map(str, reasons)) if isinstance(reasons, list) else frozenset()
    return told | {OUTLIVED} if outlived else told


def _with_silence(declared: Declared, lanes: Mapping[Lane, LaneReport]) -> Declared:
    """Adds a code where either branch's analysis gave no verdict on what the alert is about."""
    told = [msgspec.convert(lane.analysis, AnalysisDetail) for lane in lanes.values()]

    def asked(kind: Kind, key: AlertKey, codes: frozenset[str]) -> str:
        external_id = key.entity.partition("/")[2]
        silent = any(
            key.alert_type not in analysis.evaluated or external_id in analysis.unknown.get(key.alert_type, ())
            for analysis in told
        )
        return declared(kind, key, codes | {CANNOT_TELL} if silent else codes)

    return asked


def _comparison(step: ClaimedStep, lanes: dict[Lane, LaneReport], found: tuple[Discrepancy, ...]) -> StoredComparison:
    known = sum(1 for item in found if item.declared)
    control, candidate = lanes[Lane.CONTROL], lanes[Lane.CANDIDATE]
    if candidate.state is StepState.FAILED:
        result = "candidate_error"
    else:
        result = "match" if known == len(found) else "mismatch"
    report: dict[str, Any] = {
        "causes": [
            {"cause": cause, "weight": weight, "declared": reason, "count": count}
            for (cause, weight, reason), count in Counter(
                (item.cause, item.weight.value, item.declared) for item in found
            ).most_common()
        ],
        "discrepancies": [
            {
                "subject": item.subject.value,
                "kind": item.kind.value,
                "key": item.key,
                "weight": item.weight.value,
                "declared": item.declared,
            }
            for item in found[:SHOWN]
        ],
        "candidate_error": candidate.error,
        "performance": {"control": control.performance(), "candidate": candidate.performance()},
    }
    return StoredComparison(
        control=step.run.parts[Lane.CONTROL].analyzer,
        candidate=step.run.parts[Lane.CANDIDATE].analyzer,
        result=result,
        discrepancies=len(found),
        declared=known,
        report=report,
    )
