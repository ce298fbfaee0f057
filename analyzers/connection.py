"""Can the tenant be read, and do its rules run? Raised by the pipeline itself, not by a judge over a graph."""

from __future__ import annotations

from analyzers.rule import Rule
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType

UNREACHABLE = Rule(
    alert_type=AlertType.TENANT_UNREACHABLE,
    title="The tenant cannot be read: its provider refuses us.",
    severity="critical",
    about=frozenset({EntityType.TENANTS}),
    inputs=(),
    remediation="Do what the alert's own sentence says, then read the tenant again with `mspbyte sync NAME`.",
    source="https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",
    since="0.1.0",
)

STOPPED_RUNNING = Rule(
    alert_type=AlertType.RULE_STOPPED_RUNNING,
    title="Rules of the tenant have not been evaluated for twice their interval.",
    severity="medium",
    about=frozenset({EntityType.TENANTS}),
    inputs=(),
    remediation=(
        "`mspbyte rules coverage --tenant NAME` says why each of them was skipped: mostly a permission that the "
        "application lacks. Grant it, then read the tenant again with `mspbyte sync NAME`."
    ),
    source="https://learn.microsoft.com/graph/permissions-reference",
)
