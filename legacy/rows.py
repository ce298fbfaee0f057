"""Rows of alerts, their history and the outbox, written one statement at a time as the old system did.

The SQL is plain text with unqualified table names: which copy of the tables it meets (live or shadow) is decided
by the connection it is given.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.ids import alert_id, entity_id
from pipeline.domain.runs import Scope
from pipeline.events import AlertAction, JsonValue, alert_changed

ACTOR = "legacy"
"""Who is named in the history."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """Where, for whom and in whose name rows are written; the caller owns the transaction."""

    connection: Connection
    scope: Scope
    run_id: UUID
    trace_id: str
    now: datetime

    def execute(self, statement: str, **values: object) -> int:
        """Runs one statement with the scope among its parameters; the number of rows it met."""
        return self.connection.execute(text(statement), {**self.scoped, **values}).rowcount

    @property
    def scoped(self) -> dict[str, object]:
        return {"tenant_id": self.scope.tenant_id, "source_id": self.scope.source_id}


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertRow:
    """What the old system looks at of a stored alert, or what it is about to become."""

    id: UUID
    alert_type: AlertType
    entity_id: UUID
    severity: Severity
    status: AlertStatus
    message: str


_ONE = text("""
    SELECT id, alert_type, entity_id, severity, status, message FROM alerts
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id
""")
_ACTIVE = text("""
    SELECT id, alert_type, entity_id, severity, status, message FROM alerts
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND status = 'active' AND alert_type = :alert_type
    ORDER BY id
""")
_INSERT = """
    INSERT INTO alerts (id, tenant_id, source_id, alert_type, entity_id, entity_type, external_id, subject, severity,
        status, message, reasons, evidence, evidence_hash, created_at, updated_at, run_id)
    VALUES (:id, :tenant_id, :source_id, :alert_type, :entity_id, :entity_type, :external_id, :subject, :severity,
        :status, :message, CAST(:reasons AS text[]), CAST(:evidence AS jsonb), :evidence_hash, :now, :now, :run_id)
"""
_REWRITE = """
    UPDATE alerts SET severity = :severity, status = :status, message = :message, reasons = CAST(:reasons AS text[]),
        evidence = CAST(:evidence AS jsonb), evidence_hash = :evidence_hash, updated_at = :now, run_id = :run_id,
        resolved_at = NULL
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id
"""
_RESOLVE = """
    UPDATE alerts SET status = 'resolved', resolved_at = :now, updated_at = :now, run_id = :run_id
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id
"""
_HISTORY = """
    INSERT INTO alert_history (tenant_id, alert_id, at, from_status, to_status, from_severity, to_severity, actor,
        reason, run_id, trace_id)
    VALUES (:tenant_id, :id, :now, :from_status, :to_status, :from_severity, :to_severity, :actor, :reason, :run_id,
        :trace_id)
"""
_OUTBOX = """
    INSERT INTO outbox (id, tenant_id, source_id, subject, payload, created_at)
    VALUES (:id, :tenant_id, :source_id, :subject, CAST(:payload AS jsonb), :now)
"""


def row_of(scope: Scope, finding: Finding, status: AlertStatus) -> AlertRow:
    """The row a finding stands for; its id is that of the one alert this identity ever has."""
    entity = entity_id(scope.source_id, finding.entity_type, finding.external_id)
    return AlertRow(
        id=alert_id(scope.source_id, finding.alert_type, entity, finding.subject),
        alert_type=finding.alert_type,
        entity_id=entity,
        severity=finding.severity,
        status=status,
        message=finding.message,
    )


def stored(writing: Writing, alert: UUID) -> AlertRow | None:
    row = writing.connection.execute(_ONE, {**writing.scoped, "id": alert}).one_or_none()
    return None if row is None else _row(row)


def active(writing: Writing, alert_type: AlertType) -> tuple[AlertRow, ...]:
    rows = writing.connection.execute(_ACTIVE, {**writing.scoped, "alert_type": alert_type.value})
    return tuple(_row(row) for row in rows)


def _row(row: Row[Any]) -> AlertRow:
    return AlertRow(
        id=row.id,
        alert_type=AlertType(row.alert_type),
        entity_id=row.entity_id,
        severity=Severity(row.severity),
        status=AlertStatus(row.status),
        message=row.message,
    )


def insert(writing: Writing, row: AlertRow, finding: Finding) -> None:
    writing.execute(
        _INSERT,
        alert_type=row.alert_type.value,
        entity_id=row.entity_id,
        entity_type=finding.entity_type.value,
        external_id=finding.external_id,
        subject=finding.subject,
        **_content(writing, row, finding),
    )


def rewrite(writing: Writing, row: AlertRow, finding: Finding) -> None:
    writing.execute(_REWRITE, **_content(writing, row, finding))


def resolve(writing: Writing, alert: UUID) -> None:
    writing.execute(_RESOLVE, id=alert, now=writing.now, run_id=writing.run_id)


def _content(writing: Writing, row: AlertRow, finding: Finding) -> dict[str, object]:
    return {
        "id": row.id,
        "severity": row.severity.value,
        "status": row.status.value,
        "message": row.message,
        "reasons": list(finding.reasons),
        "evidence": json.dumps(dict(finding.evidence)),
        "evidence_hash": finding.evidence_hash,
        "now": writing.now,
        "run_id": writing.run_id,
    }


def record(writing: Writing, action: AlertAction, before: AlertRow | None, after: AlertRow, reason: str) -> None:
    """The history row of one change, and the event that tells of it."""
    writing.execute(
        _HISTORY,
        id=after.id,
        now=writing.now,
        from_status=before.status.value if before else None,
        to_status=after.status.value,
        from_severity=before.severity.value if before else None,
        to_severity=after.severity.value,
        actor=ACTOR,
        reason=reason,
        run_id=writing.run_id,
        trace_id=writing.trace_id,
    )
    event = alert_changed(action, _payload(writing, after))
    payload = json.dumps(dict(event.payload))
    writing.execute(_OUTBOX, id=event.id, subject=event.subject, payload=payload, now=writing.now)


def _payload(writing: Writing, row: AlertRow) -> dict[str, JsonValue]:
    return {
        "alert_id": str(row.id),
        "alert_type": row.alert_type.value,
        "severity": row.severity.value,
        "status": row.status.value,
        "entity_id": str(row.entity_id),
        "tenant_id": writing.scope.tenant_id,
        "source_id": writing.scope.source_id,
        "run_id": str(writing.run_id),
        "trace_id": writing.trace_id,
    }
