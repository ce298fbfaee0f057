"""What tenants have set about the rules, and how far each rule has got.

``rule_coverage`` and ``role_grants`` are written by an analysis, so a candidate has copies of them.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid, text

from pipeline.storage.tables.columns import NOW, UTC, metadata

tenant_alert_preferences = Table(
    "tenant_alert_preferences",
    metadata,
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("alert_type", Text, nullable=False),
    Column("threshold", Integer),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("updated_at", UTC, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("tenant_id", "alert_type"),
)

rule_exemptions = Table(
    "rule_exemptions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("alert_type", Text),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", UTC, nullable=False, server_default=NOW),
    Column("expires_at", UTC),
    Index("rule_exemptions_by_tenant", "tenant_id"),
    Index(
        "rule_exemptions_once",
        "source_id",
        "kind",
        "external_id",
        text("coalesce(alert_type, '')"),
        unique=True,
    ),
)

rule_coverage = Table(
    "rule_coverage",
    metadata,
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("alert_type", Text, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("first_attempted_at", UTC, nullable=False),
    Column("attempted_at", UTC, nullable=False),
    Column("evaluated_at", UTC),
    Column("items", Integer, nullable=False),
    Column("untold", Integer, nullable=False),
    Column("exempt", Integer, nullable=False),
    Column("skipped", Text, nullable=False),
    Column("skipped_because", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("trace_id", Text, nullable=False),
    PrimaryKeyConstraint("source_id", "alert_type"),
)

role_grants = Table(
    "role_grants",
    metadata,
    Column("source_id", ForeignKey("data_sources.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("role_id", Text, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("since", UTC),
    Column("last_seen_at", UTC, nullable=False),
    PrimaryKeyConstraint("source_id", "external_id", "role_id"),
)
