"""What the demo's runs came to, read from the database; the JSON document is this value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from pipeline.cli.demo.tenants import DemoTenant


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One alert to explain."""

    id: str
    tenant: str
    alert_type: str
    severity: str
    message: str
    reasons: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantResult:
    """One tenant's run. A stage of a comparison's candidate is named ``candidate.<stage>``."""

    tenant: str
    branch: str
    status: str
    users: int
    queries: dict[str, int]
    seconds: dict[str, float]
    alerts: dict[str, int]
    error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    tenants: list[TenantResult]
    comparison: dict[str, Any]
    example: Example | None

    def document(self, first_alert_seconds: float | None) -> dict[str, Any]:
        """The shape that ``--json`` prints."""
        names = ("tenant", "branch", "status", "users", "queries", "seconds", "alerts")
        return {
            "tenants": [{name: getattr(result, name) for name in names} for result in self.tenants],
            "comparison": {key: self.comparison.get(key) for key in ("result", "discrepancies", "declared")},
            "first_alert_seconds": first_alert_seconds,
        }


RUNS = text("""
SELECT DISTINCT ON (tenant_id) tenant_id, id, coalesce(branch, 'none') AS branch, state, entity_counts, error_message
  FROM runs WHERE tenant_id = ANY(:tenants) ORDER BY tenant_id, created_at
""")
STEPS = text("""
SELECT run_id, CASE lane WHEN 'candidate' THEN 'candidate.' ELSE '' END || stage AS stage, queries, seconds
  FROM run_steps WHERE run_id = ANY(:runs) AND state = 'done' ORDER BY position, lane
""")
ALERTS = text("""
SELECT tenant_id, alert_type, count(*) AS n FROM alerts
 WHERE tenant_id = ANY(:tenants) AND status IN ('active', 'acknowledged') GROUP BY 1, 2 ORDER BY 1, 2
""")
COMPARISON = text("""
SELECT result, discrepancies, declared, report FROM comparisons WHERE tenant_id = ANY(:tenants)
 ORDER BY created_at LIMIT 1
""")
EXAMPLE = text("""
SELECT a.id, t.name, a.alert_type, a.severity, a.message, a.reasons FROM alerts a JOIN tenants t ON t.id = a.tenant_id
 WHERE a.tenant_id = ANY(:tenants) AND a.status = 'active' AND a.alert_type = 'mfa_partial_enforced'
 ORDER BY cardinality(a.reasons) DESC, a.id LIMIT 1
""")


def collect(connection: Connection, tenants: Sequence[DemoTenant]) -> Results:
    """Each tenant's first run, its alerts, the comparison, and an alert worth explaining."""
    ids = {"tenants": [tenant.scope.tenant_id for tenant in tenants]}
    runs = {row.tenant_id: row for row in connection.execute(RUNS, ids)}
    queries: defaultdict[object, dict[str, int]] = defaultdict(dict)
    seconds: defaultdict[object, dict[str, float]] = defaultdict(dict)
    for step in connection.execute(STEPS, {"runs": [row.id for row in runs.values()]}):
        queries[step.run_id][step.stage] = step.queries
        seconds[step.run_id][step.stage] = round(step.seconds, 3)
    alerts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(ALERTS, ids):
        alerts[row.tenant_id][row.alert_type] = row.n
    compared = connection.execute(COMPARISON, ids).mappings().first()
    return Results(
        tenants=[
            TenantResult(
                tenant=tenant.name,
                branch=run.branch,
                status=run.state,
                users=int(run.entity_counts.get("identities", 0)),
                queries=queries[run.id],
                seconds=seconds[run.id],
                alerts=alerts[tenant.scope.tenant_id],
                error=run.error_message,
            )
            for tenant in tenants
            if (run := runs.get(tenant.scope.tenant_id)) is not None
        ],
        comparison=dict(compared) if compared else {},
        example=_example(connection.execute(EXAMPLE, ids).first()),
    )


def _example(row: Row[Any] | None) -> Example | None:
    if row is None:
        return None
    return Example(
        id=str(row.id),
        tenant=row.name,
        alert_type=row.alert_type,
        severity=row.severity,
        message=row.message,
        reasons=list(row.reasons),
    )
