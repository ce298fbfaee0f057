"""Alerts: read whole per source, written in bulk with their history."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.alerts.reconcile import AlertChange
from pipeline.domain.alerts import Alert, AlertStatus
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Severity
from pipeline.domain.runs import Run, Scope
from pipeline.storage.bulk import fetch_rows


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
        evidence=json.loads(str(evidence)),
        evidence_hash=str(digest),
        created_at=created_at,
        updated_at=updated_at,
        resolved_at=resolved_at if isinstance(resolved_at, datetime) else None,
    )


WRITE = text("""
WITH changed AS (
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:alert_types AS text[]), CAST(:entities AS uuid[]), CAST(:entity_types AS text[]),
        CAST(:externals AS text[]), CAST(:subjects AS text[]), CAST(:severities AS text[]),
        CAST(:statuses AS text[]), CAST(:messages AS text[]), CAST(:reasons AS jsonb[]), CAST(:evidence AS jsonb[]),
        CAST(:hashes AS text[]), CAST(:created AS timestamptz[]), CAST(:updated AS timestamptz[]),
        CAST(:resolved AS timestamptz[]), CAST(:from_statuses AS text[]), CAST(:from_severities AS text[]),
        CAST(:why AS text[]))
      AS n(id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message, reasons,
           evidence, evidence_hash, created_at, updated_at, resolved_at, from_status, from_severity, why)
), told AS (
    INSERT INTO alert_history (tenant_id, alert_id, at, from_status, to_status, from_severity, to_severity, actor,
                               reason, run_id, trace_id)
    SELECT :tenant_id, id, :now, from_status, status, from_severity, severity, 'pipeline', why, :run_id, :trace_id
      FROM changed
)
INSERT INTO alerts (id, tenant_id, source_id, alert_type, entity_id, entity_type, external_id, subject, severity,
                    status, message, reasons, evidence, evidence_hash, created_at, updated_at, resolved_at, run_id)
SELECT id, :tenant_id, :source_id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message,
       ARRAY(SELECT jsonb_array_elements_text(reasons)), evidence, evidence_hash, created_at, updated_at, resolved_at,
       :run_id
  FROM changed
ON CONFLICT (id) DO UPDATE
   SET severity = excluded.severity, status = excluded.status, message = excluded.message,
       reasons = excluded.reasons, evidence = excluded.evidence, evidence_hash = excluded.evidence_hash,
       updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, run_id = excluded.run_id
""")


def write_changes(connection: Connection, run: Run, changes: Sequence[AlertChange], now: datetime) -> None:
    """Writes alerts and their history: one statement, whatever the number."""
    after = [change.after for change in changes]
    connection.execute(
        WRITE,
        {
            "ids": [alert.id for alert in after],
            "alert_types": [alert.alert_type.value for alert in after],
            "entities": [alert.entity_id for alert in after],
            "entity_types": [alert.entity_type.value for alert in after],
            "externals": [alert.external_id for alert in after],
            "subjects": [alert.subject for alert in after],
            "severities": [alert.severity.value for alert in after],
            "statuses": [alert.status.value for alert in after],
            "messages": [alert.message for alert in after],
            "reasons": [json.dumps(alert.reasons) for alert in after],
            "evidence": [json.dumps(dict(alert.evidence)) for alert in after],
            "hashes": [alert.evidence_hash for alert in after],
            "created": [alert.created_at for alert in after],
            "updated": [alert.updated_at for alert in after],
            "resolved": [alert.resolved_at for alert in after],
            "from_statuses": [change.before.status.value if change.before else None for change in changes],
            "from_severities": [change.before.severity.value if change.before else None for change in changes],
            "why": [change.reason for change in changes],
            "tenant_id": run.scope.tenant_id,
            "source_id": run.scope.source_id,
            "run_id": run.id,
            "trace_id": run.trace_id,
            "now": now,
        },
    )
