"""Reading changes, being told of them, backing off from refusals, and companies of a PSA"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NEW_SCHEDULES = """
INSERT INTO schedules (source_id, sync_type, interval_minutes, next_due_at)
SELECT d.id, kind, 1440, now() FROM data_sources d, unnest(ARRAY['applications', 'organization']) AS kind
 WHERE d.provider = 'microsoft365'
ON CONFLICT DO NOTHING
"""
"""Sources that were added before these could be read; new ones get theirs when they are added."""


def upgrade() -> None:
    op.add_column("data_sources", sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("data_sources", sa.Column("refused_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source_inputs", sa.Column("refused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("source_inputs", sa.Column("read_in_full_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("source_inputs", sa.Column("token", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.create_table(
        "notification_subscriptions",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("directory_id", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("url", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("client_state_hash", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_action", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notifications", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_notification_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["data_sources.id"],
            name=op.f("notification_subscriptions_source_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("notification_subscriptions_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "resource", name=op.f("notification_subscriptions_pkey")),
        sa.UniqueConstraint("subscription_id", name="notification_subscriptions_by_microsofts_id"),
    )
    op.create_table(
        "company_links",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["data_sources.id"], name=op.f("company_links_source_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("company_links_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "tenant_id", name=op.f("company_links_pkey")),
    )
    op.create_table(
        "staged_rows",
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.create_index("staged_rows_by_batch", "staged_rows", ["batch"], unique=False)
    op.execute(NEW_SCHEDULES)


def downgrade() -> None:
    op.execute("DELETE FROM schedules WHERE sync_type IN ('applications', 'organization', 'companies', 'contracts')")
    op.drop_index("staged_rows_by_batch", table_name="staged_rows")
    op.drop_table("staged_rows")
    op.drop_table("company_links")
    op.drop_table("notification_subscriptions")
    op.drop_column("source_inputs", "token")
    op.drop_column("source_inputs", "read_in_full_at")
    op.drop_column("source_inputs", "refused")
    op.drop_column("data_sources", "refused_since")
    op.drop_column("data_sources", "refusals")
