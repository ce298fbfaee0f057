"""Alerts: read whole per source, written in bulk with their history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.alerts.reconcile import AlertChange
from pipeline.domain.alerts import Alert, AlertStatus
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Severity
from pipeline.domain.runs import Run, Scope
from pipeline.storage.bulk import copy_rows, fetch_rows
from pipeline.storage.tables import alert_history, alerts

COLUMNS = (
    "id",
    "tenant_id",
    "source_id",
    "alert_type",
    "entity_id",
    "entity_type",
    "external_id",
    "subject",
    "severity",
    "status",
    "message",
    "reasons",
    "evidence",
    "evidence_hash",
    "created_at",
    "updated_at",
    "resolved_at",
    "run_id",
)


def stored_alerts(connection: Connection, scope: Scope) -> list[Alert]:
    """Every alert the source has ever had, in one statement; resolved ones may be reopened."""
    rows = fetch_rows(
        connection,
        "SELECT id, alert_type, entity_id, entity_type, external_id, subject, severity, status, message, reasons,"
        "       evidence::text, evidence_hash, created_at, updated_at, resolved_at"
        "  FROM alerts WHERE source_id = %(source_id)s",
        {"source_id": scope.source_id},
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


def write_changes(connection: Connection, run: Run, changes: Sequence[AlertChange], now: datetime) -> None:
    """Creates, updates and their history: at most three statements, whatever the number."""
    created = [change.after for change in changes if change.before is None]
    updated = [change.after for change in changes if change.before is not None]
    if created:
        copy_rows(connection, alerts.name, COLUMNS, (_values(run, alert) for alert in created))
    if updated:
        _update(connection, run, updated)
    _write_history(connection, run, changes, now)


def _values(run: Run, alert: Alert) -> tuple[object, ...]:
    return (
        alert.id,
        run.scope.tenant_id,
        run.scope.source_id,
        alert.alert_type.value,
        alert.entity_id,
        alert.entity_type.value,
        alert.external_id,
        alert.subject,
        alert.severity.value,
        alert.status.value,
        alert.message,
        list(alert.reasons),
        json.dumps(dict(alert.evidence)),
        alert.evidence_hash,
        alert.created_at,
        alert.updated_at,
        alert.resolved_at,
        run.id,
    )


UPDATE = text("""
UPDATE alerts a
   SET severity = n.severity, status = n.status, message = n.message,
       reasons = ARRAY(SELECT jsonb_array_elements_text(n.reasons)), evidence = n.evidence,
       evidence_hash = n.evidence_hash, updated_at = n.updated_at, resolved_at = n.resolved_at, run_id = :run_id
  FROM unnest(CAST(:ids AS uuid[]), CAST(:severities AS text[]), CAST(:statuses AS text[]),
              CAST(:messages AS text[]), CAST(:reasons AS jsonb[]), CAST(:evidence AS jsonb[]),
              CAST(:hashes AS text[]), CAST(:updated AS timestamptz[]), CAST(:resolved AS timestamptz[]))
       AS n(id, severity, status, message, reasons, evidence, evidence_hash, updated_at, resolved_at)
 WHERE a.id = n.id AND a.source_id = :source_id
""")


def _update(connection: Connection, run: Run, changed: Sequence[Alert]) -> None:
    connection.execute(
        UPDATE,
        {
            "ids": [alert.id for alert in changed],
            "severities": [alert.severity.value for alert in changed],
            "statuses": [alert.status.value for alert in changed],
            "messages": [alert.message for alert in changed],
            "reasons": [json.dumps(alert.reasons) for alert in changed],
            "evidence": [json.dumps(dict(alert.evidence)) for alert in changed],
            "hashes": [alert.evidence_hash for alert in changed],
            "updated": [alert.updated_at for alert in changed],
            "resolved": [alert.resolved_at for alert in changed],
            "run_id": run.id,
            "source_id": run.scope.source_id,
        },
    )


def _write_history(connection: Connection, run: Run, changes: Sequence[AlertChange], now: datetime) -> None:
    copy_rows(
        connection,
        alert_history.name,
        (
            "tenant_id",
            "alert_id",
            "at",
            "from_status",
            "to_status",
            "from_severity",
            "to_severity",
            "actor",
            "reason",
            "run_id",
            "trace_id",
        ),
        (
            (
                run.scope.tenant_id,
                change.after.id,
                now,
                change.before.status.value if change.before else None,
                change.after.status.value,
                change.before.severity.value if change.before else None,
                change.after.severity.value,
                "pipeline",
                change.reason,
                run.id,
                run.trace_id,
            )
            for change in changes
        ),
    )
