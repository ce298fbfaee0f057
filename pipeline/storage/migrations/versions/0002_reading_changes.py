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

NEW_NAMES = [
    *("halopsa", "psa", "psa_company_unlinked", "site_of", "contract_of", "companies", "clients", "sites", "contracts"),
    *("applications", "organization", "subscriptions", "directorySubscriptions", "roleAssignments", "roleDefinitions"),
]
"""Of providers, analysis, alert, relationship, entity and sync types, and of resources. None was another's before."""

END_RUNS = (
    """
UPDATE schedules s SET next_due_at = now()
  FROM runs r WHERE r.state = 'running' AND r.source_id = s.source_id AND s.sync_type = ANY(r.sync_types)
""",
    """
UPDATE run_steps s SET state = 'skipped', finished_at = now()
  FROM runs r WHERE r.id = s.run_id AND r.state = 'running' AND s.state NOT IN ('done', 'failed', 'skipped')
""",
    """
UPDATE runs SET state = 'failed', finished_at = now(), error_code = 'Downgraded',
       error_message = 'The database went back to an older version while the run was under way; it is due again.'
 WHERE state = 'running'
""",
    """
DELETE FROM captures WHERE EXISTS (SELECT 1 FROM jsonb_each(outcomes) WHERE value @> '{"changes_only": true}')
""",
)
"""Runs under way, and captures that hold changes only: the older version would take what was read for the whole."""

OF_PSA = (
    """
DELETE FROM alert_history h
 USING alerts a JOIN data_sources d ON d.id = a.source_id WHERE a.id = h.alert_id AND d.provider = ANY(:names)
""",
    "DELETE FROM alerts x USING data_sources d WHERE d.id = x.source_id AND d.provider = ANY(:names)",
    "DELETE FROM findings x USING data_sources d WHERE d.id = x.source_id AND d.provider = ANY(:names)",
    "DELETE FROM relationships x USING data_sources d WHERE d.id = x.source_id AND d.provider = ANY(:names)",
    "DELETE FROM entities x USING data_sources d WHERE d.id = x.source_id AND d.provider = ANY(:names)",
    "DELETE FROM source_inputs x USING data_sources d WHERE d.id = x.source_id AND d.provider = ANY(:names)",
    "DELETE FROM outbox x USING data_sources d WHERE d.id = x.source_id AND d.provider = ANY(:names)",
    "DELETE FROM data_sources WHERE provider = ANY(:names)",
)
"""A PSA with all that was read and concluded of it; its runs, captures, schedules and triggers go with the source."""

OF_NEW_NAMES = (
    "DELETE FROM alert_history h USING alerts a WHERE a.id = h.alert_id AND a.alert_type = ANY(:names)",
    "DELETE FROM alerts WHERE alert_type = ANY(:names)",
    "DELETE FROM findings WHERE alert_type = ANY(:names)",
    "DELETE FROM relationships WHERE type = ANY(:names)",
    "DELETE FROM entities WHERE entity_type = ANY(:names)",
    "DELETE FROM source_inputs WHERE resource = ANY(:names)",
    "DELETE FROM captures WHERE outcomes ?| CAST(:names AS text[])",
    "DELETE FROM outbox WHERE string_to_array(subject, '.') && CAST(:names AS text[])",
    "DELETE FROM schedules WHERE sync_type = ANY(:names)",
    "DELETE FROM pending_triggers WHERE sync_types <@ CAST(:names AS text[])",
    "DELETE FROM runs WHERE sync_types <@ CAST(:names AS text[])",
    """
UPDATE pending_triggers SET sync_types = ARRAY(SELECT kind FROM unnest(sync_types) AS kind WHERE kind <> ALL(:names))
 WHERE sync_types && CAST(:names AS text[])
""",
    """
UPDATE runs SET sync_types = ARRAY(SELECT kind FROM unnest(sync_types) AS kind WHERE kind <> ALL(:names))
 WHERE sync_types && CAST(:names AS text[])
""",
)
"""What else has a name that the older version does not know, of whatever source, also of one that was removed: one such
row would stop it for everybody."""


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
    for statement in (*END_RUNS, *OF_PSA, *OF_NEW_NAMES):
        op.get_bind().execute(sa.text(statement), {"names": NEW_NAMES})
    op.drop_index("staged_rows_by_batch", table_name="staged_rows")
    op.drop_table("staged_rows")
    op.drop_table("company_links")
    op.drop_table("notification_subscriptions")
    op.drop_column("source_inputs", "token")
    op.drop_column("source_inputs", "read_in_full_at")
    op.drop_column("source_inputs", "refused")
    op.drop_column("data_sources", "refused_since")
    op.drop_column("data_sources", "refusals")
