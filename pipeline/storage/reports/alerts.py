"""Alerts as a list, and one of them by its id."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, text

from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import AlertType, Evidence, Severity
from pipeline.storage.reports.prefixes import FOUND_AT_MOST, id_range, only_one
from pipeline.storage.reports.reach import Reach

LISTING = "mspbyte alerts list"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertSummary:
    """One alert in a line. ``entity`` is the name people know it by, its external id where it has none."""

    id: UUID
    tenant: str
    tenant_id: int
    source_id: int
    type: AlertType
    severity: Severity
    status: AlertStatus
    entity_type: str
    external_id: str
    entity: str
    subject: str
    message: str
    reasons: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertPage:
    """One alert with what its verdict rests on. ``run_id`` is the last run that changed it."""

    summary: AlertSummary
    evidence: Evidence
    run_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertFilter:
    """An empty collection lets everything through."""

    types: Collection[AlertType] = ()
    severities: Collection[Severity] = ()
    statuses: Collection[AlertStatus] = ()


SUMMARY = """
SELECT a.id, t.name AS tenant, a.tenant_id, a.source_id, a.alert_type AS type, a.severity, a.status, a.entity_type,
       a.external_id, a.subject, a.message, a.reasons, a.created_at, a.updated_at, a.resolved_at, a.evidence, a.run_id,
       CASE WHEN a.entity_type = 'tenants' THEN coalesce(a.evidence ->> 'tenant', t.name)
            ELSE coalesce(nullif(e.normalized ->> 'user_principal_name', ''), nullif(e.display_name, ''),
                          nullif(e.normalized ->> 'part_number', ''), a.external_id) END AS entity
  FROM alerts a JOIN tenants t ON t.id = a.tenant_id LEFT JOIN entities e ON e.id = a.entity_id
"""
LIST = text(
    SUMMARY
    + """ WHERE (CAST(:tenant_id AS int) IS NULL OR a.tenant_id = :tenant_id)
   AND a.status = ANY(:statuses) AND a.alert_type = ANY(:types) AND a.severity = ANY(:severities)
 ORDER BY array_position(CAST(:ranks AS text[]), a.severity) DESC, a.alert_type <> :before_all, t.name, a.alert_type,
          entity, a.subject, a.id
 LIMIT :most"""
)
ONE = text(SUMMARY + " WHERE a.id = :alert_id")
BEGIN_WITH = text("SELECT id FROM alerts WHERE id BETWEEN :first AND :last ORDER BY id LIMIT :most")
COUNT = text("""
SELECT count(*) FROM alerts a WHERE (CAST(:tenant_id AS int) IS NULL OR a.tenant_id = :tenant_id)
   AND a.status = ANY(:statuses) AND a.alert_type = ANY(:types) AND a.severity = ANY(:severities)
""")


def list_alerts(
    connection: Connection, reach: Reach, wanted: AlertFilter, *, most: int | None = None
) -> list[AlertSummary]:
    """Alerts, the worst first: one statement.

    Of one severity, tenants that cannot be read come first: all else of theirs is as old as the last reading.
    """
    order = {"ranks": [severity.value for severity in Severity], "before_all": AlertType.TENANT_UNREACHABLE.value}
    rows = connection.execute(LIST, {**_values(reach, wanted), **order, "most": most})
    return [_summary(row) for row in rows]


def count_alerts(connection: Connection, reach: Reach, wanted: AlertFilter) -> int:
    return int(connection.execute(COUNT, _values(reach, wanted)).scalar_one())


def find_alert(connection: Connection, beginning: str) -> AlertPage:
    """The alert whose id begins so; raises ``UserError`` when there is none, or more than one."""
    ids = id_range(beginning, "alert", LISTING)
    values = {"first": ids.first, "last": ids.last, "most": FOUND_AT_MOST}
    found = only_one(connection.execute(BEGIN_WITH, values).scalars().all(), beginning, "alert", LISTING)
    row = connection.execute(ONE, {"alert_id": found}).one()
    return AlertPage(summary=_summary(row), evidence=row.evidence, run_id=row.run_id)


def _values(reach: Reach, wanted: AlertFilter) -> Mapping[str, object]:
    return {
        "tenant_id": reach.tenant_id,
        "types": [kind.value for kind in wanted.types or AlertType],
        "severities": [severity.value for severity in wanted.severities or Severity],
        "statuses": [status.value for status in wanted.statuses or AlertStatus],
    }


def _summary(row: Row[tuple[object, ...]]) -> AlertSummary:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    del values["evidence"], values["run_id"]
    return AlertSummary(
        **{
            **values,
            "type": AlertType(values["type"]),
            "severity": Severity(values["severity"]),
            "status": AlertStatus(values["status"]),
            "reasons": tuple(values["reasons"]),
        }
    )
