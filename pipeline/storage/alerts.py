"""Alerts: read whole per source, written in bulk with their history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from pipeline.alerts.reconcile import AlertChange
from pipeline.domain.alerts import Alert, AlertStatus
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Evidence, Severity
from pipeline.domain.runs import Origin, Scope
from pipeline.storage.bulk import fetched_rows, stage_rows


def stored_alerts(connection: Connection, scope: Scope, types: Collection[AlertType] = tuple(AlertType)) -> list[Alert]:
    """Every alert of the types the source has ever had, in one statement; resolved ones may be reopened."""
    with fetched_rows(
        connection,
        "SELECT id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message, reasons,"
        "       evidence::text, evidence_hash, created_at, updated_at, resolved_at"
        "  FROM alerts WHERE source_id = %(source_id)s AND alert_type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    ) as rows:
        return [_alert(row) for row in rows]


# The sources are named, so that the index over source, status and type is used.
OF_SOURCES = text("""
SELECT a.id, a.alert_type, a.entity_id, a.entity_type, a.external_id, a.subject, a.severity, a.status, a.message,
       a.reasons, a.evidence::text, a.evidence_hash, a.created_at, a.updated_at, a.resolved_at,
       a.tenant_id, a.source_id, a.run_id, coalesce(r.trace_id, '') AS trace_id
  FROM alerts a LEFT JOIN runs r ON r.id = a.run_id
 WHERE a.source_id IN (SELECT d.id FROM data_sources d WHERE CAST(:sources AS int[]) IS NULL OR d.id = ANY(:sources))
   AND a.status = ANY(:statuses) AND a.alert_type = :alert_type
""")


def alerts_of_sources(
    connection: Connection,
    alert_type: AlertType,
    statuses: Collection[AlertStatus] = tuple(AlertStatus),
    *,
    sources: Collection[int] | None = None,
) -> dict[Scope, tuple[Origin, Alert]]:
    """The alert of a type that is about a tenant itself, of all sources or these, with the run that last changed it."""
    values = {
        "sources": None if sources is None else list(sources),
        "statuses": [status.value for status in statuses],
        "alert_type": alert_type.value,
    }
    found = {}
    for row in connection.execute(OF_SOURCES, values):
        scope = Scope(tenant_id=row.tenant_id, source_id=row.source_id)
        found[scope] = (Origin(scope=scope, run_id=row.run_id, trace_id=row.trace_id), _alert(row[:15]))
    return found


def _alert(row: Sequence[object]) -> Alert:
    key, kind, entity, entity_type, external_id, subject, severity, status, message, reasons, evidence, digest = row[
        :12
    ]
    created_at, updated_at, resolved_at = row[12:]
    if not (isinstance(key, UUID) and isinstance(entity, UUID) and isinstance(reasons, list)):
        raise TypeError("alerts have uuid ids and a list of reasons")
    if not (isinstance(created_at, datetime) and isinstance(updated_at, datetime)):
        raise TypeError("alerts have times")
    return Alert(
        id=key,
        alert_type=AlertType(str(kind)),
        entity_id=entity,
        entity_type=EntityType(str(entity_type)),
        external_id=str(external_id),
        subject=str(subject),
        severity=Severity(str(severity)),
        status=AlertStatus(str(status)),
        message=str(message),
        reasons=tuple(reasons),
        evidence=msgspec.json.decode(str(evidence)),
        evidence_hash=str(digest),
        created_at=created_at,
        updated_at=updated_at,
        resolved_at=resolved_at if isinstance(resolved_at, datetime) else None,
    )


WRITE = text("""
WITH staged AS (
    DELETE FROM staged_rows WHERE batch = :batch RETURNING document
), changed AS (
    SELECT n.* FROM staged, json_to_record(staged.document)
      AS n(id uuid, alert_type text, entity_id uuid, entity_type text, external_id text, subject text, severity text,
           status text, message text, reasons text[], evidence jsonb, evidence_hash text, created_at timestamptz,
           updated_at timestamptz, resolved_at timestamptz, from_status text, from_severity text, reason text)
), told AS (
    INSERT INTO alert_history (tenant_id, alert_id, at, from_status, to_status, from_severity, to_severity, actor,
                               reason, run_id, trace_id)
    SELECT :tenant_id, id, :now, from_status, status, from_severity, severity, 'pipeline', reason, :run_id, :trace_id
      FROM changed
)
INSERT INTO alerts (id, tenant_id, source_id, alert_type, entity_id, entity_type, external_id, subject, severity,
                    status, message, reasons, evidence, evidence_hash, created_at, updated_at, resolved_at, run_id)
SELECT id, :tenant_id, :source_id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message,
       reasons, evidence, evidence_hash, created_at, updated_at, resolved_at, :run_id
  FROM changed
ON CONFLICT (id) DO UPDATE
   SET severity = excluded.severity, status = excluded.status, message = excluded.message,
       reasons = excluded.reasons, evidence = excluded.evidence, evidence_hash = excluded.evidence_hash,
       updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, run_id = excluded.run_id
""")


class _Row(msgspec.Struct, gc=False):
    """An alert as written, and the line of its history."""

    id: UUID
    alert_type: AlertType
    entity_id: UUID
    entity_type: EntityType
    external_id: str
    subject: str
    severity: Severity
    status: AlertStatus
    message: str
    reasons: tuple[str, ...]
    evidence: Evidence
    evidence_hash: str
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    from_status: AlertStatus | None
    from_severity: Severity | None
    reason: str


def write_changes(connection: Connection, origin: Origin, changes: Sequence[AlertChange], now: datetime) -> None:
    """Writes alerts and their history: two statements, whatever the number."""
    connection.execute(
        WRITE,
        {
            "batch": stage_rows(connection, map(_row, changes)),
            "tenant_id": origin.scope.tenant_id,
            "source_id": origin.scope.source_id,
            "run_id": origin.run_id,
            "trace_id": origin.trace_id,
            "now": now,
        },
    )


def _row(change: AlertChange) -> _Row:
    before, after = change.before, change.after
    return _Row(
        id=after.id,
        alert_type=after.alert_type,
        entity_id=after.entity_id,
        entity_type=after.entity_type,
        external_id=after.external_id,
        subject=after.subject,
        severity=after.severity,
        status=after.status,
        message=after.message,
        reasons=after.reasons,
        evidence=after.evidence,
        evidence_hash=after.evidence_hash,
        created_at=after.created_at,
        updated_at=after.updated_at,
        resolved_at=after.resolved_at,
        from_status=before.status if before else None,
        from_severity=before.severity if before else None,
        reason=change.reason,
    )
