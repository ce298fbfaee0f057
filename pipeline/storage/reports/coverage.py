"""How far each rule got in each tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.findings import AlertType
from pipeline.storage.reports.reach import Reach

COVERAGE = text("""
SELECT t.name AS tenant, c.source_id, c.alert_type, c.attempted_at, c.evaluated_at, c.items,
       coalesce(f.findings, 0) AS findings, c.untold, c.exempt, c.skipped, c.skipped_because, c.run_id
  FROM rule_coverage c JOIN tenants t ON t.id = c.tenant_id
  LEFT JOIN (SELECT source_id, alert_type, count(*) AS findings FROM findings
              WHERE CAST(:tenant_id AS int) IS NULL OR tenant_id = :tenant_id
              GROUP BY source_id, alert_type) f ON f.source_id = c.source_id AND f.alert_type = c.alert_type
 WHERE (CAST(:tenant_id AS int) IS NULL OR c.tenant_id = :tenant_id)
 ORDER BY t.name, c.source_id, c.alert_type
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageLine:
    """How far one rule got in one tenant, as people see it.

    ``findings`` counts those that stand, also where the rule was skipped or looked at some users only.
    """

    tenant: str
    source_id: int
    rule: AlertType
    attempted_at: datetime
    evaluated_at: datetime | None
    items: int
    findings: int
    untold: int
    exempt: int
    skipped: str
    skipped_because: str
    run_id: UUID


def coverage_lines(connection: Connection, reach: Reach) -> list[CoverageLine]:
    """Every rule that was ever due, of one tenant or of all: one statement."""
    rows = connection.execute(COVERAGE, {"tenant_id": reach.tenant_id}).mappings()
    return [
        CoverageLine(
            rule=AlertType(row["alert_type"]), **{name: row[name] for name in CoverageLine.__slots__ if name != "rule"}
        )
        for row in rows
    ]
