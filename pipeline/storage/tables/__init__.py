"""The tables, as SQLAlchemy Core sees them. The migrations build them; a test compares the two.

They are asked for here, so that ``metadata`` is always whole. Indexes are named after what they serve.
"""

from __future__ import annotations

from pipeline.storage.tables.columns import metadata
from pipeline.storage.tables.ledger import capture_pages, captures, comparisons, run_steps, runs, staged_rows
from pipeline.storage.tables.results import (
    alert_history,
    alerts,
    entities,
    findings,
    outbox,
    relationships,
    source_inputs,
)
from pipeline.storage.tables.rules import role_grants, rule_coverage, rule_exemptions, tenant_alert_preferences
from pipeline.storage.tables.sources import (
    company_links,
    data_sources,
    flag_overrides,
    notification_subscriptions,
    pending_triggers,
    schedules,
    tenants,
)

SHADOWED = (
    entities,
    relationships,
    source_inputs,
    findings,
    rule_coverage,
    role_grants,
    alerts,
    alert_history,
    outbox,
)
"""What a branch writes: copied for a candidate, so that it never touches the live rows."""

__all__ = [
    "SHADOWED",
    "alert_history",
    "alerts",
    "capture_pages",
    "captures",
    "company_links",
    "comparisons",
    "data_sources",
    "entities",
    "findings",
    "flag_overrides",
    "metadata",
    "notification_subscriptions",
    "outbox",
    "pending_triggers",
    "relationships",
    "role_grants",
    "rule_coverage",
    "rule_exemptions",
    "run_steps",
    "runs",
    "schedules",
    "source_inputs",
    "staged_rows",
    "tenant_alert_preferences",
    "tenants",
]
