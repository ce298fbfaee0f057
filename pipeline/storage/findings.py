"""The findings of each source as they stand after its last analysis."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from pipeline.domain.entities import EntityType
from pipeline.domain.findings import (
    AlertType,
    AnalysisResult,
    AnalysisType,
    Evidence,
    Finding,
    RuleCoverage,
    Severity,
)
from pipeline.domain.ids import alert_id, entity_id
from pipeline.domain.runs import Run, Scope
from pipeline.storage.bulk import ENCODER, array_of, fetched_rows, stage_rows

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
     WHERE f.source_id = :source_id AND f.alert_type = ANY(:evaluated)
       AND f.id NOT IN (SELECT w.id FROM wanted w)
       AND (f.alert_type <> ALL(:judged_types) OR f.entity_id IN (SELECT unnest(CAST(:judged AS uuid[]))))
       AND (f.alert_type, f.external_id) NOT IN (
           SELECT u.kind, u.external
             FROM unnest(CAST(:unknown_types AS text[]), CAST(:unknown_externals AS text[])) AS u(kind, external))
), covered AS (
    INSERT INTO rule_coverage AS c (source_id, alert_type, tenant_id, first_attempted_at, attempted_at, evaluated_at,
                                    items, untold, exempt, skipped, skipped_because, fingerprint, run_id, trace_id)
    SELECT :source_id, n.alert_type, :tenant_id, :now, :now,
           CASE WHEN n.skipped_because IS NULL THEN CAST(:now AS timestamptz) END,
           n.items, n.untold, n.exempt, n.skipped, coalesce(n.skipped_because, ''), n.fingerprint, :run_id, :trace_id
      FROM json_to_recordset(CAST(:coverage AS json))
           AS n(alert_type text, items int, untold int, exempt int, skipped text, skipped_because text,
                fingerprint text)
    ON CONFLICT (source_id, alert_type) DO UPDATE
       SET first_attempted_at = CASE WHEN c.skipped_because IN ('branch', 'licence') THEN excluded.first_attempted_at
                                     ELSE c.first_attempted_at END,
           attempted_at = excluded.attempted_at, evaluated_at = coalesce(excluded.evaluated_at, c.evaluated_at),
           items = CASE WHEN c.alert_type = ANY(:judged_types) THEN c.items ELSE excluded.items END,
           untold = CASE WHEN c.alert_type = ANY(:judged_types) THEN c.untold ELSE excluded.untold END,
           exempt = CASE WHEN c.alert_type = ANY(:judged_types) THEN c.exempt ELSE excluded.exempt END,
           skipped = excluded.skipped, skipped_because = excluded.skipped_because, fingerprint = excluded.fingerprint,
           run_id = excluded.run_id, trace_id = excluded.trace_id
), granted AS (
    INSERT INTO role_grants AS g (source_id, external_id, role_id, tenant_id, since, last_seen_at)
    SELECT :source_id, n.external_id, n.role_id, :tenant_id,
           CASE WHEN :grants_known THEN CAST(:now AS timestamptz) END, :now
      FROM unnest(CAST(:grant_holders AS text[]), CAST(:grant_roles AS text[])) AS n(external_id, role_id)
    ON CONFLICT (source_id, external_id, role_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
     WHERE g.last_seen_at < excluded.last_seen_at - CAST('1 day' AS interval)
), forgotten AS (
    DELETE FROM role_grants g
     WHERE g.source_id = :source_id AND g.last_seen_at < CAST(:now AS timestamptz) - CAST('31 days' AS interval)
       AND (g.external_id, g.role_id) NOT IN (
           SELECT n.external_id, n.role_id
             FROM unnest(CAST(:grant_holders AS text[]), CAST(:grant_roles AS text[])) AS n(external_id, role_id))
       AND :grants_told
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What is kept of an analysis.

    ``findings`` are those that go the ordinary way; ``judged`` the keys of the entities that rules in
    ``result.judged`` looked at; ``coverage`` how far each rule got; ``grants_known`` whether earlier readings told
    who holds which role.
    """

    result: AnalysisResult
    findings: Sequence[Finding]
    coverage: Sequence[RuleCoverage] = ()
    judged: Collection[str] = ()
    grants_known: bool = False


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


def replace_findings(connection: Connection, run: Run, kept: Kept, now: datetime) -> None:
    """Makes the stored findings of the evaluated types equal to the given ones: two statements.

    What is the same is not written; a verdict that could not be told keeps its last finding. How far each rule got and
    who holds which privileged role is written with them.
    """
    scope, result = run.scope, kept.result
    evaluated = result.evaluated
    distinct = {(one.alert_type, one.external_id, one.subject): one for one in kept.findings}
    rows = (_row(scope, finding) for finding in distinct.values() if finding.alert_type in evaluated)
    grants = sorted(result.grants or ())
    unknown = [(item.alert_type.value, item.external_id) for item in result.not_evaluated if item.external_id]
    connection.execute(
        REPLACE,
        {
            "batch": stage_rows(connection, rows),
            "evaluated": [kind.value for kind in evaluated],
            "judged_types": [kind.value for kind in result.judged],
            "judged": array_of(kept.judged),
            "coverage": ENCODER.encode(kept.coverage).decode(),
            "grants_known": kept.grants_known,
            "grants_told": result.grants is not None,
            "grant_holders": [holder for holder, _ in grants],
            "grant_roles": [role for _, role in grants],
            "trace_id": run.trace_id,
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


def load_findings(connection: Connection, scope: Scope, types: Collection[AlertType]) -> list[Finding]:
    """The stored findings of the types: one statement."""
    with fetched_rows(
        connection,
        "SELECT alert_type, severity, entity_type, external_id, subject, message, reasons, evidence::text"
        "  FROM findings WHERE source_id = %(source_id)s AND alert_type = ANY(%(types)s)",
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
