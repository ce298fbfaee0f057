"""Thresholds and exemptions per tenant, how far each rule got, and who held which role before"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NEW_ALERT_TYPES = [
    *("admin_mfa_not_registered", "user_not_mfa_capable", "no_security_baseline", "legacy_auth_not_blocked"),
    *("device_code_flow_not_blocked", "guest_mfa_missing", "ca_licensed_unused", "new_privileged_role_holder"),
    *("global_admin_count", "break_glass_locked_out", "synced_admin_account", "licensed_admin", "ca_exclusion_gap"),
    *("ca_refers_to_deleted", "ca_report_only_stale", "guest_stale", "never_signed_in", "license_unused_seats"),
    *("license_renewal_with_spare_seats", "license_assignment_error", "app_credential_expiring", "sync_stalled"),
    "rule_stopped_running",
]

STALE_RULES = ["stale_user", "license_waste"]
"""The rules that the tenant's one threshold was for."""

KEEP_THRESHOLDS = """
INSERT INTO tenant_alert_preferences (tenant_id, alert_type, threshold, reason, author)
SELECT t.id, kind, t.stale_after_days, 'set before thresholds were kept per rule', 'migration'
  FROM tenants t, unnest(CAST(:rules AS text[])) AS kind WHERE t.stale_after_days <> 90
"""
GIVE_BACK_THRESHOLDS = """
UPDATE tenants t SET stale_after_days = p.threshold
  FROM tenant_alert_preferences p
 WHERE p.tenant_id = t.id AND p.alert_type = 'stale_user' AND p.threshold IS NOT NULL
"""

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
)
"""What a run's steps hand on to each other differs between the versions."""

OF_NEW_ALERT_TYPES = (
    "DELETE FROM alert_history h USING alerts a WHERE a.id = h.alert_id AND a.alert_type = ANY(:names)",
    "DELETE FROM alerts WHERE alert_type = ANY(:names)",
    "DELETE FROM findings WHERE alert_type = ANY(:names)",
    "DELETE FROM outbox WHERE payload ->> 'alertType' = ANY(:names) AND published_at IS NULL",
)
"""The older version reads alert types into an enumeration: one row of a type it does not know would stop it."""


def upgrade() -> None:
    op.create_table(
        "tenant_alert_preferences",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("alert_type", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("tenant_alert_preferences_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "alert_type", name=op.f("tenant_alert_preferences_pkey")),
    )
    op.create_table(
        "rule_exemptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("alert_type", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("rule_exemptions_tenant_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["data_sources.id"], name=op.f("rule_exemptions_source_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("rule_exemptions_pkey")),
    )
    op.create_index(
        "rule_exemptions_once",
        "rule_exemptions",
        ["source_id", "kind", "external_id", sa.text("coalesce(alert_type, '')")],
        unique=True,
    )
    op.create_index("rule_exemptions_by_tenant", "rule_exemptions", ["tenant_id"], unique=False)
    op.create_table(
        "rule_coverage",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("alert_type", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("first_attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("untold", sa.Integer(), nullable=False),
        sa.Column("exempt", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Text(), nullable=False),
        sa.Column("skipped_because", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["data_sources.id"], name=op.f("rule_coverage_source_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "alert_type", name=op.f("rule_coverage_pkey")),
    )
    op.create_table(
        "role_grants",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["data_sources.id"], name=op.f("role_grants_source_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "external_id", "role_id", name=op.f("role_grants_pkey")),
    )
    op.get_bind().execute(sa.text(KEEP_THRESHOLDS), {"rules": STALE_RULES})
    op.drop_column("tenants", "stale_after_days")


def downgrade() -> None:
    for statement in (*END_RUNS, *OF_NEW_ALERT_TYPES):
        op.get_bind().execute(sa.text(statement), {"names": NEW_ALERT_TYPES} if ":names" in statement else {})
    op.add_column("tenants", sa.Column("stale_after_days", sa.Integer(), server_default=sa.text("90"), nullable=False))
    op.execute(GIVE_BACK_THRESHOLDS)
    op.drop_table("role_grants")
    op.drop_table("rule_coverage")
    op.drop_index("rule_exemptions_by_tenant", table_name="rule_exemptions")
    op.drop_index("rule_exemptions_once", table_name="rule_exemptions")
    op.drop_table("rule_exemptions")
    op.drop_table("tenant_alert_preferences")
