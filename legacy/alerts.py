"""The old alert handling, alert by alert.

Known to be wrong: it is told findings and nothing else, so it concludes from what is missing. For an alert type
that has at least one finding, every active alert without one is resolved, also when the input was incomplete. A
type without any finding resolves nothing, because the old system never learns that it ran: when the last user of a
tenant is given MFA, the alert outlives its cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from legacy import marks, rows
from legacy.rows import AlertRow, Writing
from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import AlertType, Finding
from pipeline.domain.runs import Scope
from pipeline.events import AlertAction

_REASONS: Mapping[AlertAction, str] = {
    AlertAction.CREATED: "The problem was found.",
    AlertAction.UPDATED: "The problem was found with another severity or message.",
    AlertAction.REOPENED: "The problem was found again.",
    AlertAction.RESOLVED: "Other alerts of this type were found and this one was not.",
}


def handle(
    connection: Connection,
    scope: Scope,
    *,
    run_id: UUID,
    trace_id: str,
    findings: Collection[Finding],
    now: datetime,
) -> dict[AlertAction, int]:
    """Raises what was found and resolves what is implied to be gone; how often each action was taken.

    ``license_overuse`` findings are passed over: the old system writes those itself (``legacy/overuse.py``).
    Acknowledged and suppressed alerts keep their status.
    """
    writing = Writing(connection=connection, scope=scope, run_id=run_id, trace_id=trace_id, now=now)
    handled = [finding for finding in findings if finding.alert_type is not AlertType.LICENSE_OVERUSE]
    counts: Counter[AlertAction] = Counter()
    found: dict[AlertType, set[UUID]] = {}
    for finding in handled:
        row, action = _raise(writing, finding)
        found.setdefault(row.alert_type, set()).add(row.id)
        counts.update(() if action is None else (action,))
    for alert_type, ids in found.items():
        counts[AlertAction.RESOLVED] += _resolve_unfound(writing, alert_type, ids)
    return {action: count for action, count in counts.items() if count}


def _raise(writing: Writing, finding: Finding) -> tuple[AlertRow, AlertAction | None]:
    row = rows.row_of(writing.scope, finding, AlertStatus.ACTIVE)
    before = rows.stored(writing, row.id)
    action = _action(before, row)
    if before is not None and action is not AlertAction.REOPENED:
        row = replace(row, status=before.status)
    if action is not None:
        _write(writing, action, before, row, finding)
    return row, action


def _action(before: AlertRow | None, row: AlertRow) -> AlertAction | None:
    """What a finding does to the alert stored for it; ``None`` where nothing changed."""
    if before is None:
        return AlertAction.CREATED
    if before.status is AlertStatus.RESOLVED:
        return AlertAction.REOPENED
    same = (before.severity, before.message) == (row.severity, row.message)
    return None if same else AlertAction.UPDATED


def _write(writing: Writing, action: AlertAction, before: AlertRow | None, row: AlertRow, finding: Finding) -> None:
    if before is None:
        rows.insert(writing, row, finding)
    else:
        rows.rewrite(writing, row, finding)
    rows.record(writing, action, before, row, _REASONS[action])
    if action is not AlertAction.UPDATED:
        marks.add_tag(writing, row.entity_id, row.alert_type)
    marks.refresh_state(writing, row.entity_id)


def _resolve_unfound(writing: Writing, alert_type: AlertType, found: Collection[UUID]) -> int:
    gone = [row for row in rows.active(writing, alert_type) if row.id not in found]
    for before in gone:
        rows.resolve(writing, before.id)
        after = replace(before, status=AlertStatus.RESOLVED)
        rows.record(writing, AlertAction.RESOLVED, before, after, _REASONS[AlertAction.RESOLVED])
        marks.remove_tag(writing, before.entity_id, alert_type)
        marks.refresh_state(writing, before.entity_id)
    return len(gone)
