"""License overuse, written straight into the alerts by the old license analyzer.

Known to be wrong: it goes past the alert handling, so an overuse alert is never resolved, however many seats are
bought, and the state of the licence's entity does not follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from legacy import rows
from legacy.rows import AlertRow, Writing
from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import AlertType, Finding
from pipeline.domain.runs import Scope
from pipeline.events import AlertAction

_REASON = "The license analyzer wrote it."


def write_overuse(
    connection: Connection,
    scope: Scope,
    *,
    run_id: UUID,
    trace_id: str,
    findings: Collection[Finding],
    now: datetime,
) -> dict[AlertAction, int]:
    """Upserts the ``license_overuse`` findings among ``findings``, row by row; how often each action was taken.

    Something resolved by others is opened again; an acknowledged or suppressed alert keeps its status.
    """
    writing = Writing(connection=connection, scope=scope, run_id=run_id, trace_id=trace_id, now=now)
    counts: Counter[AlertAction] = Counter()
    for finding in findings:
        if finding.alert_type is AlertType.LICENSE_OVERUSE:
            counts.update(_upsert(writing, finding))
    return dict(counts)


def _upsert(writing: Writing, finding: Finding) -> tuple[AlertAction, ...]:
    row = rows.row_of(writing.scope, finding, AlertStatus.ACTIVE)
    before = rows.stored(writing, row.id)
    if before is None:
        rows.insert(writing, row, finding)
        return _recorded(writing, AlertAction.CREATED, before, row)
    if before.status is AlertStatus.RESOLVED:
        rows.rewrite(writing, row, finding)
        return _recorded(writing, AlertAction.REOPENED, before, row)
    if (before.severity, before.message) == (row.severity, row.message):
        return ()
    row = replace(row, status=before.status)
    rows.rewrite(writing, row, finding)
    return _recorded(writing, AlertAction.UPDATED, before, row)


def _recorded(writing: Writing, action: AlertAction, before: AlertRow | None, row: AlertRow) -> tuple[AlertAction, ...]:
    rows.record(writing, action, before, row, _REASON)
    return (action,)
