"""The tables, as SQLAlchemy Core sees them. The migrations build them; a test compares the two.

The bulk tables (entities, relationships, findings) have no foreign keys: a check per row would double the cost
of a load, and rows leave with their tenant through the retention task. Indexes are named after what they serve.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "fk": "%(table_name)s_%(column_0_name)s_fkey"},
)

UTC = DateTime(timezone=True)
NOW = text("now()")
EMPTY_OBJECT = text("'{}'::jsonb")
EMPTY_ARRAY = text("'{}'::text[]")

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("max_concurrent_jobs", Integer),
    Column("stale_after_days", Integer, nullable=False, server_default=text("90")),
    Column("created_at", UTC, nullable=False, server_default=NOW),
    UniqueConstraint("name", name="tenants_name_key"),
)

data_sources = Table(
    "data_sources",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("external_tenant_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("credentials", LargeBinary, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("refusals", Integer, nullable=False, server_default=text("0")),
    Column("refused_since", UTC),
    Column("created_at", UTC, nullable=False, server_default=NOW),
    UniqueConstraint("tenant_id", "provider", "external_tenant_id", name="data_sources_identity_key"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("sync_type", Text, nullable=False),
    Column("interval_minutes", Integer, nullable=False),
    Column("next_due_at", UTC, nullable=False),
    PrimaryKeyConstraint("source_id", "sync_type"),
    Index("schedules_due", "next_due_at"),
)

pending_triggers = Table(
    "pending_triggers",
    metadata,
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("sync_types", ARRAY(Text), nullable=False),
    Column("compare", Boolean, nullable=False, server_default=text("false")),
    Column("first_at", UTC, nullable=False),
    Column("due_at", UTC, nullable=False),
    Index("pending_triggers_due", "due_at"),
)

notification_subscriptions = Table(
    "notification_subscriptions",
    metadata,
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("resource", Text, nullable=False),
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("subscription_id", Text),
    Column("directory_id", Text, nullable=False, server_default=text("''")),
    Column("url", Text, nullable=False, server_default=text("''")),
    Column("client_state_hash", LargeBinary, nullable=False, server_default=text("''::bytea")),
    Column("expires_at", UTC),
    Column("wanted_action", Text, nullable=False, server_default=text("''")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text, nullable=False, server_default=text("''")),
    Column("next_attempt_at", UTC),
    Column("notifications", BigInteger, nullable=False, server_default=text("0")),
    Column("last_notification_at", UTC),
    Column("created_at", UTC, nullable=False),
    PrimaryKeyConstraint("source_id", "resource"),
    UniqueConstraint("subscription_id", name="notification_subscriptions_by_microsofts_id"),
)

company_links = Table(
    "company_links",
    metadata,
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("company_id", Text, nullable=False),
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("source_id", "company_id"),
    UniqueConstraint("source_id", "tenant_id", name="company_links_one_per_tenant"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("run_key", Text, nullable=False),
    Column("sync_types", ARRAY(Text), nullable=False),
    Column("compare", Boolean, nullable=False, server_default=text("false")),
    Column("branch", Text),
    Column("parts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("flag_decision", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("state", Text, nullable=False),
    Column("entity_counts", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("created_at", UTC, nullable=False),
    Column("started_at", UTC),
    Column("finished_at", UTC),
    UniqueConstraint("run_key", name="runs_once_per_window"),
    Index("runs_one_active_per_source", "source_id", unique=True, postgresql_where=text("state = 'running'")),
    Index("runs_active_by_tenant", "tenant_id", postgresql_where=text("state = 'running'")),
    Index("runs_recent_by_tenant", "tenant_id", "created_at"),
    Index("runs_by_trace", "trace_id"),
)

run_steps = Table(
    "run_steps",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("lane", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("queue", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fence", Integer, nullable=False, server_default=text("1")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("losses", Integer, nullable=False, server_default=text("0")),
    Column("dispatches", Integer, nullable=False, server_default=text("0")),
    Column("due_at", UTC),
    Column("dispatched_at", UTC),
    Column("deadline_at", UTC),
    Column("heartbeat_at", UTC),
    Column("started_at", UTC),
    Column("finished_at", UTC),
    Column("seconds", Float),
    Column("queries", Integer),
    Column("query_seconds", Float),
    Column("detail", JSONB, nullable=False, server_default=EMPTY_OBJECT),
    Column("error_code", Text),
    Column("error_message", Text),
    PrimaryKeyConstraint("run_id", "lane", "stage"),
    Index(
        "run_steps_unfinished",
        "state",
        "due_at",
        postgresql_where=text("state IN ('waiting', 'dispatched', 'running')"),
    ),
)

captures = Table(
    "captures",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("outcomes", JSONB, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("raw_bytes", BigInteger, nullable=False),
    Column("captured_at", UTC, nullable=False),
    Index("captures_by_age", "captured_at"),
)

capture_pages = Table(
    "capture_pages",
    metadata,
    Column("run_id", ForeignKey("captures.run_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("resource", Text, nullable=False),
    Column("parent_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run_id", "position"),
)

source_inputs = Table(
    "source_inputs",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("resource", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("read_at", UTC, nullable=False),
    Column("refused", Boolean, nullable=False, server_default=text("false")),
    Column("read_in_full_at", UTC),
    Column("token", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("source_id", "resource"),
)

entities = Table(
    "entities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("normalized", JSONB, nullable=False),
    Column("data_hash", LargeBinary, nullable=False),
    Column("tags", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("state", Text, nullable=False, server_default=text("'normal'")),
    Column("created_at", UTC, nullable=False),
    Column("updated_at", UTC, nullable=False),
    Column("deleted_at", UTC),
    Index("entities_by_source_and_type", "source_id", "entity_type"),
)

relationships = Table(
    "relationships",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("parent_id", Uuid, nullable=False),
    Column("child_id", Uuid, nullable=False),
    PrimaryKeyConstraint("source_id", "type", "parent_id", "child_id", name="relationships_by_parent"),
    Index("relationships_by_child", "source_id", "type", "child_id"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("analysis_type", Text, nullable=False),
    Column("alert_type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("entity_id", Uuid, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("evidence_hash", Text, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("found_at", UTC, nullable=False),
    Index("findings_by_source_and_type", "source_id", "analysis_type"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("alert_type", Text, nullable=False),
    Column("entity_id", Uuid, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("evidence_hash", Text, nullable=False),
    Column("created_at", UTC, nullable=False),
    Column("updated_at", UTC, nullable=False),
    Column("resolved_at", UTC),
    Column("run_id", Uuid, nullable=False),
    UniqueConstraint("source_id", "alert_type", "entity_id", "subject", name="alerts_one_per_identity"),
    Index("alerts_by_source_status_type", "source_id", "status", "alert_type"),
    Index("alerts_by_tenant_status_severity", "tenant_id", "status", "severity"),
)

alert_history = Table(
    "alert_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("alert_id", Uuid, nullable=False),
    Column("at", UTC, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text, nullable=False),
    Column("from_severity", Text),
    Column("to_severity", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", Uuid),
    Column("trace_id", Text, nullable=False),
    Index("alert_history_by_alert", "alert_id", "at"),
    Index("alert_history_by_run", "run_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", BigInteger, Identity(), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("created_at", UTC, nullable=False),
    Column("published_at", UTC),
    UniqueConstraint("id", name="outbox_event_once"),
    Index("outbox_unpublished", "sequence", postgresql_where=text("published_at IS NULL")),
    Index("outbox_published_by_age", "published_at", postgresql_where=text("published_at IS NOT NULL")),
)

flag_overrides = Table(
    "flag_overrides",
    metadata,
    Column("flag", Text, nullable=False),
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("value", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", UTC, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("flag", "tenant_id"),
)

staged_rows = Table(
    "staged_rows",
    metadata,
    Column("batch", Uuid, nullable=False),
    Column("document", JSON, nullable=False),
    Index("staged_rows_by_batch", "batch"),
    prefixes=["UNLOGGED"],
)
"""Rows on their way into a bulk statement: written and taken away within one transaction, so nothing need survive."""

comparisons = Table(
    "comparisons",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("control", Text, nullable=False),
    Column("candidate", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("discrepancies", Integer, nullable=False),
    Column("declared", Integer, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("created_at", UTC, nullable=False),
    Index("comparisons_recent_by_tenant", "tenant_id", "created_at"),
)

SHADOWED = (entities, relationships, source_inputs, findings, alerts, alert_history, outbox)
"""What a branch writes: copied for a candidate, so that it never touches the live rows."""
