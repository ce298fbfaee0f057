"""What happened to alerts, in the order it happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, text

from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import AlertType, Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One change of one alert; the ``from_`` values are ``None`` where it was raised."""

    at: datetime
    alert: UUID
    type: AlertType
    external_id: str
    subject: str
    from_status: AlertStatus | None
    to_status: AlertStatus
    from_severity: Severity | None
    to_severity: Severity
    actor: str
    reason: str
    run: UUID | None
    trace_id: str


ENTRIES = """
SELECT h.at, h.alert_id AS alert, a.alert_type AS type, a.external_id, a.subject, h.from_status, h.to_status,
       h.from_severity, h.to_severity, h.actor, h.reason, h.run_id AS run, h.trace_id
  FROM alert_history h JOIN alerts a ON a.id = h.alert_id
"""
OF_ALERT = text(ENTRIES + " WHERE h.alert_id = :alert_id AND h.tenant_id = :tenant_id ORDER BY h.at, h.id")
OF_RUN = text(ENTRIES + " WHERE h.run_id = :run_id AND h.tenant_id = :tenant_id ORDER BY h.at, h.id")


def alert_history(connection: Connection, tenant_id: int, alert_id: UUID) -> list[HistoryEntry]:
    rows = connection.execute(OF_ALERT, {"tenant_id": tenant_id, "alert_id": alert_id})
    return [_entry(row) for row in rows]


def run_history(connection: Connection, tenant_id: int, run_id: UUID) -> list[HistoryEntry]:
    """What the run did to alerts."""
    rows = connection.execute(OF_RUN, {"tenant_id": tenant_id, "run_id": run_id})
    return [_entry(row) for row in rows]


def _entry(row: Row[tuple[object, ...]]) -> HistoryEntry:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return HistoryEntry(
        **{
            **values,
            "type": AlertType(values["type"]),
            "from_status": AlertStatus(values["from_status"]) if values["from_status"] else None,
            "to_status": AlertStatus(values["to_status"]),
            "from_severity": Severity(values["from_severity"]) if values["from_severity"] else None,
            "to_severity": Severity(values["to_severity"]),
        }
    )
