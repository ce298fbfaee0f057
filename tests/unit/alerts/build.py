"""Findings and alerts with everything defaulted but what a test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pipeline.alerts.reconcile import AlertChange, Assessment, reconcile
from pipeline.domain.alerts import Alert, AlertStatus
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.ids import entity_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SOURCE = 7
EVERYTHING = Assessment(evaluated=frozenset(AlertType))


def finding(
    external_id: str = "ann",
    alert_type: AlertType = AlertType.MFA_NOT_ENFORCED,
    *,
    severity: Severity = Severity.HIGH,
    subject: str = "",
    message: str = "MFA is not enforced.",
    reasons: tuple[str, ...] = ("users",),
) -> Finding:
    return Finding(
        alert_type=alert_type,
        severity=severity,
        entity_type=EntityType.IDENTITIES,
        external_id=external_id,
        subject=subject,
        message=message,
        reasons=reasons,
    )


def entity(external_id: str) -> UUID:
    return entity_id(SOURCE, EntityType.IDENTITIES, external_id)


def changes(
    stored: dict[UUID, Alert], *findings: Finding, assessment: Assessment = EVERYTHING, now: datetime = LATER
) -> tuple[AlertChange, ...]:
    return reconcile(source_id=SOURCE, stored=stored.values(), findings=findings, assessment=assessment, now=now)


def after(
    stored: dict[UUID, Alert], *findings: Finding, assessment: Assessment = EVERYTHING, now: datetime = LATER
) -> dict[UUID, Alert]:
    """The stored alerts once the changes are written."""
    found = changes(stored, *findings, assessment=assessment, now=now)
    return stored | {change.after.id: change.after for change in found}


def raised(*findings: Finding, status: AlertStatus = AlertStatus.ACTIVE) -> dict[UUID, Alert]:
    """The alerts the findings led to at ``NOW``, brought to a status."""
    resolved_at = NOW if status is AlertStatus.RESOLVED else None
    return {
        key: replace(alert, status=status, resolved_at=resolved_at)
        for key, alert in after({}, *findings, now=NOW).items()
    }
