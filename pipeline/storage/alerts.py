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
from pipeline.domain.findings import AlertType, Severity
from pipeline.domain.runs import Run, Scope
from pipeline.storage.bulk import fetch_rows, json_rows


def stored_alerts(connection: Connection, scope: Scope, types: Collection[AlertType] = tuple(AlertType)) -> list[Alert]:
    """Every alert of the types the source has ever had, in one statement; resolved ones may be reopened."""
    rows = fetch_rows(
        connection,
        "SELECT id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message, reasons,"
        "       evidence::text, evidence_hash, created_at, updated_at, resolved_at"
        "  FROM alerts WHERE source_id = %(source_id)s AND alert_type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    )
    return [_alert(row) for row in rows]


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
WITH told AS (
    INSERT INTO alert_history (tenant_id, alert_id, at, from_status, to_status, from_severity, to_severity, actor,
                               reason, run_id, trace_id)
    SELECT :tenant_id, n.alert_id, :now, n.from_status, n.to_status, n.from_severity, n.to_severity, 'pipeline',
           n.reason, :run_id, :trace_id
      FROM json_to_recordset(CAST(convert_from(:history, 'UTF8') AS json))
           AS n(alert_id uuid, from_status text, to_status text, from_severity text, to_severity text, reason text)
)
INSERT INTO alerts (id, tenant_id, source_id, alert_type, entity_id, entity_type, external_id, subject, severity,
                    status, message, reasons, evidence, evidence_hash, created_at, updated_at, resolved_at, run_id)
SELECT id, :tenant_id, :source_id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message,
       reasons, evidence, evidence_hash, created_at, updated_at, resolved_at, :run_id
  FROM json_to_recordset(CAST(convert_from(:alerts, 'UTF8') AS json))
       AS n(id uuid, alert_type text, entity_id uuid, entity_type text, external_id text, subject text, severity text,
            status text, message text, reasons text[], evidence jsonb, evidence_hash text, created_at timestamptz,
            updated_at timestamptz, resolved_at timestamptz)
ON CONFLICT (id) DO UPDATE
   SET severity = excluded.severity, status = excluded.status, message = excluded.message,
       reasons = excluded.reasons, evidence = excluded.evidence, evidence_hash = excluded.evidence_hash,
       updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, run_id = excluded.run_id
""")


class _Told(msgspec.Struct, gc=False):
    """A line of an alert's history."""

    alert_id: UUID
    from_status: AlertStatus | None
    to_status: AlertStatus
    from_severity: Severity | None
    to_severity: Severity
    reason: str


def write_changes(connection: Connection, run: Run, changes: Sequence[AlertChange], now: datetime) -> None:
    """Writes alerts and their history: one statement, whatever the number."""
    connection.execute(
        WRITE,
        {
            "alerts": json_rows(change.after for change in changes),
            "history": json_rows(map(_told, changes)),
            "tenant_id": run.scope.tenant_id,
            "source_id": run.scope.source_id,
            "run_id": run.id,
            "trace_id": run.trace_id,
            "now": now,
        },
    )


def _told(change: AlertChange) -> _Told:
    before, after = change.before, change.after
    return _Told(
        alert_id=after.id,
        from_status=before.status if before else None,
        to_status=after.status,
        from_severity=before.severity if before else None,
        to_severity=after.severity,
        reason=change.reason,
    )
