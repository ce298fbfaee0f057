"""Alert: stored alerts and findings reconciled in one transaction, with history, tags, states and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from pipeline import events
from pipeline.alerts.reconcile import AlertChange, Assessment, marks, reconcile
from pipeline.domain.alerts import Alert
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.ids import entity_id
from pipeline.domain.runs import ClaimedStep, Lane, Origin, Run
from pipeline.errors import PermanentError, TenantUnreachableError
from pipeline.events import AlertAction, Event, JsonValue
from pipeline.stages.execution import Applied, Apply, space_of
from pipeline.stages.refusal import hold_back, let_in, reached
from pipeline.storage.alerts import stored_alerts, write_changes
from pipeline.storage.database import Database
from pipeline.storage.entities import mark_entities, marked_entities
from pipeline.storage.findings import load_findings
from pipeline.storage.outbox import add_events

UNREACHABLE = frozenset({AlertType.TENANT_UNREACHABLE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """What the analyze stage handed on."""

    findings: Sequence[Finding]
    assessment: Assessment
    admins: frozenset[UUID] | None
    """Entity ids of privileged identities, ``None`` when that could not be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Handled:
    """What the alert handling did, by action, and the events that tell of it."""

    counts: Mapping[AlertAction, int]
    events: Iterable[Event] = ()
    """Made as they are written: a first sync may raise more alerts than fit beside their events."""


AlertHandler = Callable[[Connection, Run, Analysis, datetime], Handled]
"""Brings the stored alerts in line with the analysis."""


def alert_tenant(
    step: ClaimedStep, now: datetime, *, database: Database, handlers: Mapping[str, AlertHandler]
) -> Apply:
    """Hands the analysis to the alert handling the route chose."""
    with database.begin(space_of(step.ref)) as connection:
        analysis = _gather(connection, step)
    handle = handlers[step.run.parts[step.ref.lane].alerts]

    def apply(connection: Connection) -> Applied:
        handled = handle(connection, step.run, analysis, now)
        if step.ref.lane is not Lane.CANDIDATE:
            let_in(connection, step.run, now)
        counts: dict[str, JsonValue] = {action.value: handled.counts.get(action, 0) for action in AlertAction}
        return Applied(detail=counts, events=handled.events)

    return apply


class AnalysisDetail(msgspec.Struct):
    """The analyze step's detail, as far as this stage reads it."""

    unknown: dict[AlertType, list[str]]
    privileged: list[str] | None
    evaluated: list[AlertType] = []
    exempt: dict[AlertType, list[str]] = {}
    judged: list[str] = []
    judged_types: list[AlertType] = []


def _gather(connection: Connection, step: ClaimedStep) -> Analysis:
    detail = msgspec.convert(step.handed, AnalysisDetail)
    source_id = step.run.scope.source_id
    return Analysis(
        findings=load_findings(connection, step.run.scope, detail.evaluated),
        assessment=Assessment(
            evaluated=frozenset(detail.evaluated) | _about_the_tenant(connection, step.run),
            unknown=_pairs(detail.unknown),
            exempt=_pairs(detail.exempt),
            judged_types=frozenset(detail.judged_types),
            judged=frozenset(UUID(hex=key) for key in detail.judged),
        ),
        admins=None
        if detail.privileged is None
        else frozenset(entity_id(source_id, EntityType.IDENTITIES, external) for external in detail.privileged),
    )


def _pairs(told: Mapping[AlertType, Sequence[str]]) -> frozenset[tuple[AlertType, str]]:
    return frozenset((kind, external) for kind, externals in told.items() for external in externals)


def reconcile_alerts(connection: Connection, run: Run, analysis: Analysis, now: datetime) -> Handled:
    """The new branch's alert handling: five statements at the most, whatever the number of alerts."""
    stored = stored_alerts(connection, run.scope)
    changes = reconcile(
        source_id=run.scope.source_id,
        stored=stored,
        findings=analysis.findings,
        assessment=analysis.assessment,
        now=now,
    )
    after: dict[UUID, Alert] = {alert.id: alert for alert in stored}
    after |= {change.after.id: change.after for change in changes}
    marked = marks(alerts=after.values(), admins=analysis.admins, current=marked_entities(connection, run.scope))
    if changes:
        write_changes(connection, run.origin, changes, now)
    if marked:
        mark_entities(connection, run.scope, marked)
    return Handled(
        counts=Counter(change.action for change in changes), events=(told_of(run.origin, change) for change in changes)
    )


def told_of(origin: Origin, change: AlertChange) -> Event:
    """The event that tells of a change."""
    return events.alert_changed(
        change.action,
        {
            **origin.names(),
            "alert": str(change.after.id),
            "alertType": change.after.alert_type.value,
            "severity": change.after.severity.value,
            "status": change.after.status.value,
            "entity": str(change.after.entity_id),
        },
    )


def _about_the_tenant(connection: Connection, run: Run) -> frozenset[AlertType]:
    return UNREACHABLE if reached(connection, run) else frozenset()


def refused(connection: Connection, step: ClaimedStep, error: PermanentError, now: datetime) -> None:
    """What a failed run leaves: where the tenant refused us, one critical alert about the tenant, and a longer wait."""
    if not isinstance(error, TenantUnreachableError):
        return
    finding = Finding(
        alert_type=AlertType.TENANT_UNREACHABLE,
        severity=Severity.CRITICAL,
        entity_type=EntityType.TENANTS,
        external_id=str(step.run.scope.source_id),
        message=str(error),
        reasons=(error.code,),
        evidence={"code": error.code},
    )
    _settle(connection, step.run, [finding], UNREACHABLE, now)
    hold_back(connection, step.run, now)


def settle_tenant(connection: Connection, run: Run, now: datetime) -> None:
    """Resolves the alert about the tenant itself after a run that reached it; every other alert stays as it is."""
    _settle(connection, run, [], _about_the_tenant(connection, run), now)


def _settle(
    connection: Connection,
    run: Run,
    findings: Sequence[Finding],
    evaluated: frozenset[AlertType],
    now: datetime,
) -> None:
    stored = stored_alerts(connection, run.scope, (AlertType.TENANT_UNREACHABLE,))
    changes = reconcile(
        source_id=run.scope.source_id,
        stored=stored,
        findings=findings,
        assessment=Assessment(evaluated=evaluated),
        now=now,
    )
    if changes:
        write_changes(connection, run.origin, changes, now)
        add_events(connection, run.scope, [told_of(run.origin, change) for change in changes], now)
