"""Tenants, what is read of them, and when."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from pipeline.storage.tables.columns import NOW, UTC, metadata

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("max_concurrent_jobs", Integer),
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
    Column("tenant_id", ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("company_id", Text, nullable=False),
    PrimaryKeyConstraint("source_id", "tenant_id"),
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
