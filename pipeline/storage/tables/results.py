"""What a branch writes of a tenant.

The bulk tables (entities, relationships, findings) have no foreign keys: a check per row would double the cost
of a load, and their rows leave with their source in ``storage.removal``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pipeline.storage.tables.columns import EMPTY_ARRAY, UTC, metadata

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
