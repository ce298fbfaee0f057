"""The findings of each source as they stand after its last analysis."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, AnalysisType, Finding, Severity
from pipeline.domain.ids import alert_id, entity_id
from pipeline.domain.runs import Scope
from pipeline.storage.bulk import copy_rows, fetch_rows
from pipeline.storage.tables import findings

COLUMNS = (
    "id",
    "tenant_id",
    "source_id",
    "analysis_type",
    "alert_type",
    "severity",
    "entity_id",
    "entity_type",
    "external_id",
    "subject",
    "message",
    "reasons",
    "evidence",
    "evidence_hash",
    "run_id",
    "found_at",
)


def stored_fingerprints(
    connection: Connection, scope: Scope, types: Collection[AnalysisType]
) -> dict[UUID, tuple[AlertType, str, str, str]]:
    """Id → (alert type, external id, evidence hash, message) of the stored findings of the types."""
    rows = connection.execute(
        text(
            "SELECT id, alert_type, external_id, evidence_hash, message FROM findings"
            " WHERE source_id = :source_id AND analysis_type = ANY(:types)"
        ),
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    )
    return {row.id: (AlertType(row.alert_type), row.external_id, row.evidence_hash, row.message) for row in rows}


def finding_id(scope: Scope, finding: Finding) -> UUID:
    """The id of the finding, which is also the id of the alert it leads to."""
    entity = entity_id(scope.source_id, finding.entity_type, finding.external_id)
    return alert_id(scope.source_id, finding.alert_type, entity, finding.subject)


def delete_findings(connection: Connection, scope: Scope, ids: Sequence[UUID]) -> None:
    connection.execute(
        text("DELETE FROM findings WHERE source_id = :source_id AND id = ANY(:ids)"),
        {"source_id": scope.source_id, "ids": list(ids)},
    )


def insert_findings(
    connection: Connection, scope: Scope, found: Sequence[tuple[UUID, Finding]], run_id: UUID, now: datetime
) -> None:
    copy_rows(
        connection,
        findings.name,
        COLUMNS,
        (
            (
                key,
                scope.tenant_id,
                scope.source_id,
                finding.analysis_type.value,
                finding.alert_type.value,
                finding.severity.value,
                entity_id(scope.source_id, finding.entity_type, finding.external_id),
                finding.entity_type.value,
                finding.external_id,
                finding.subject,
                finding.message,
                list(finding.reasons),
                json.dumps(dict(finding.evidence)),
                finding.evidence_hash,
                run_id,
                now,
            )
            for key, finding in found
        ),
    )


def load_findings(connection: Connection, scope: Scope, types: Collection[AnalysisType]) -> list[Finding]:
    """The stored findings of the types: one statement."""
    rows = fetch_rows(
        connection,
        "SELECT alert_type, severity, entity_type, external_id, subject, message, reasons, evidence::text"
        "  FROM findings WHERE source_id = %(source_id)s AND analysis_type = ANY(%(types)s)",
        {"source_id": scope.source_id, "types": [kind.value for kind in types]},
    )
    return [
        Finding(
            alert_type=AlertType(str(alert_type)),
            severity=Severity(str(severity)),
            entity_type=EntityType(str(entity_type)),
            external_id=str(external_id),
            subject=str(subject),
            message=str(message),
            reasons=tuple(reasons) if isinstance(reasons, list) else (),
            evidence=json.loads(str(evidence)),
        )
        for alert_type, severity, entity_type, external_id, subject, message, reasons, evidence in rows
    ]
