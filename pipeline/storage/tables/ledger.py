"""Runs and their steps, and what belongs to one run alone."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
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

from pipeline.storage.tables.columns import EMPTY_OBJECT, UTC, metadata

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
