"""Alerts and findings for the reconciliation: nine in ten the same, the rest new, changed and gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection

from benchmarks.grounds import Grounds, fresh_database
from benchmarks.measuring import Work
from pipeline.alerts.reconcile import Assessment, reconcile
from pipeline.domain.capture import SyncType
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.runs import Branch, DataSource, Run, Scope, Trigger
from pipeline.stages.alert import Analysis, reconcile_alerts
from pipeline.storage.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCOPE = Scope(tenant_id=1, source_id=1)
EVERYTHING = Assessment(evaluated=frozenset(AlertType))


def findings(size: int, *, first: int = 0, changed: range = range(0)) -> list[Finding]:
    """Users without MFA, numbered from ``first``; the changed ones for another reason."""
    return [
        Finding(
            alert_type=AlertType.MFA_NOT_ENFORCED,
            severity=Severity.HIGH,
            entity_type=EntityType.IDENTITIES,
            external_id=f"user-{number}",
            message="No policy asks this user for MFA.",
            reasons=("excluded",) if number in changed else ("no_policy",),
            evidence={"registered": False, "policies": []},
        )
        for number in range(first, first + size)
    ]


def mixed(size: int) -> list[Finding]:
    """As many findings as ``findings(size)``, of which a thirtieth each are new and changed and another is gone."""
    part = size // 30
    return findings(size, first=part, changed=range(part, 2 * part))


def pure(size: int) -> Work:
    """The decision alone."""
    nothing_stored = reconcile(
        source_id=SCOPE.source_id, stored=(), findings=findings(size), assessment=EVERYTHING, now=NOW
    )
    stored = [change.after for change in nothing_stored]
    found = mixed(size)
    return lambda: reconcile(source_id=SCOPE.source_id, stored=stored, findings=found, assessment=EVERYTHING, now=NOW)


@contextmanager
def applied(grounds: Grounds, size: int) -> Iterator[Work]:
    """Reading the stored alerts, deciding and writing the changes, rolled back so that each time is alike."""
    with fresh_database(grounds.database_url) as url:
        database = Database(url)
        try:
            with database.begin() as connection:
                _reconcile(connection, findings(size))
            yield partial(_and_back, database, mixed(size))
        finally:
            database.close()


def _and_back(database: Database, found: list[Finding]) -> None:
    with database.engine.connect() as connection:
        _reconcile(connection, found)
        connection.rollback()


def _reconcile(connection: Connection, found: list[Finding]) -> None:
    analysis = Analysis(findings=found, assessment=EVERYTHING, admins=None)
    reconcile_alerts(connection, RUN, analysis, NOW)


RUN = Run(
    id=uuid4(),
    source=DataSource(
        scope=SCOPE, tenant="benchmark", provider="microsoft365", external_tenant_id="", client_id="", credentials=b""
    ),
    trace_id="benchmark",
    trigger=Trigger.MANUAL,
    sync_types=tuple(SyncType),
    compare=False,
    branch=Branch.NEW,
    parts={},
    created_at=NOW,
    deadline_at=NOW,
)
