"""The findings of each source as they stand after its last analysis."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Evidence, Finding, Severity
from pipeline.domain.ids import alert_id, entity_id
from pipeline.domain.runs import Run, Scope
from pipeline.storage.bulk import fetched_rows, stage_rows

# NOT IN, because it always hashes: PostgreSQL takes 100 rows for granted of a document, and for NOT EXISTS compared
# each finding with each where it also thought little of the table.
REPLACE = text("""
WITH staged AS (
    DELETE FROM staged_rows WHERE batch = :batch RETURNING document
), wanted AS (
    SELECT n.* FROM staged, json_to_record(staged.document)
      AS n(id uuid, analysis_type text, alert_type text, severity text, entity_id uuid, entity_type text,
           external_id text, subject text, message text, reasons text[], evidence jsonb, evidence_hash text)
), gone AS (
    DELETE FROM findings f
     WHERE f.source_id = :source_id AND f.analysis_type = ANY(:completed)
       AND f.id NOT IN (SELECT w.id FROM wanted w)
       AND (f.alert_type, f.external_id) NOT IN (
           SELECT u.kind, u.external
             FROM unnest(CAST(:unknown_types AS text[]), CAST(:unknown_externals AS text[])) AS u(kind, external))
)
INSERT INTO findings AS f (id, tenant_id, source_id, analysis_type, alert_type, severity, entity_id, entity_type,
                           external_id, subject, message, reasons, evidence, evidence_hash, run_id, found_at)
SELECT w.id, :tenant_id, :source_id, w.analysis_type, w.alert_type, w.severity, w.entity_id, w.entity_type,
       w.external_id, w.subject, w.message, w.reasons, w.evidence, w.evidence_hash, :run_id, :now
  FROM wanted w
ON CONFLICT (id) DO UPDATE
   SET severity = excluded.severity, message = excluded.message, reasons = excluded.reasons,
       evidence = excluded.evidence, evidence_hash = excluded.evidence_hash,
       run_id = excluded.run_id, found_at = excluded.found_at
 WHERE (f.evidence_hash, f.message) IS DISTINCT FROM (excluded.evidence_hash, excluded.message)
""")


class _Row(msgspec.Struct, gc=False):
    """A finding as written. ``id`` is also the id of the alert it leads to."""

    id: UUID
    analysis_type: AnalysisType
    alert_type: AlertType
    severity: Severity
    entity_id: UUID
    entity_type: EntityType
    external_id: str
    subject: str
    message: str
    reasons: tuple[str, ...]
    evidence: Evidence
    evidence_hash: str


def replace_findings(
    connection: Connection, run: Run, result: AnalysisResult, findings: Sequence[Finding], now: datetime
) -> None:
    """Makes the stored findings of the completed types equal to the given ones: two statements.

    What is the same is not written; a verdict that could not be told keeps its last finding.
    """
    scope = run.scope
    distinct = {(one.alert_type, one.external_id, one.subject): one for one in findings}
    rows = (_row(scope, finding) for finding in distinct.values() if finding.analysis_type in result.completed)
    unknown = [(item.alert_type.value, item.external_id) for item in result.not_evaluated if item.external_id]
    connection.execute(
        REPLACE,
        {
            "batch": stage_rows(connection, rows),
            "completed": [kind.value for kind in result.completed],
            "unknown_types": [kind for kind, _ in unknown],
            "unknown_externals": [external for _, external in unknown],
            "tenant_id": scope.tenant_id,
            "source_id": scope.source_id,
            "run_id": run.id,
            "now": now,
        },
    )


def _row(scope: Scope, finding: Finding) -> _Row:
    entity = entity_id(scope.source_id, finding.entity_type, finding.external_id)
    return _Row(
        id=alert_id(scope.source_id, finding.alert_type, entity, finding.subject),
        analysis_type=finding.analysis_type,
        alert_type=finding.alert_type,
        severity=finding.severity,
        entity_id=entity,
        entity_type=finding.entity_type,
        external_id=finding.external_id,
        subject=finding.subject,
        message=finding.message,
        reasons=finding.reasons,
        evidence=finding.evidence,
        evidence_hash=finding.evidence_hash,
    )


def load_findings(connection: Connection, scope: Scope, types: Collection[AnalysisType]) -> list[Finding]:
    """The stored findings of the types: one statement."""
    with fetched_rows(
        connection,
        "SELECT alert_type, severity, entity_type, external_id, subject, message, reasons, evidence::text"
        "  FROM findings WHERE source_id = %(source_id)s AND analysis_type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    ) as rows:
        return [
            Finding(
                alert_type=AlertType(str(alert_type)),
                severity=Severity(str(severity)),
                entity_type=EntityType(str(entity_type)),
                external_id=str(external_id),
                subject=str(subject),
                message=str(message),
                reasons=tuple(reasons) if isinstance(reasons, list) else (),
                evidence=msgspec.json.decode(str(evidence)),
            )
            for alert_type, severity, entity_type, external_id, subject, message, reasons, evidence in rows
        ]
