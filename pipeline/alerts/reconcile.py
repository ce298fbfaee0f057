"""What becomes of the alerts of a source, given the findings of an analysis.

A pure function from stored alerts, findings and what the analysis was able to tell, to the changes to make. An alert
type that was not evaluated is not touched: neither created nor resolved, because half an answer is none. The same
holds for one entity whose verdict could not be told, and for entities that a rule did not look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pipeline.domain.alerts import OPEN_STATUSES, STATE_OF, TAG_OF, Alert, AlertStatus, EntityMarks, EntityState, Tag
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.ids import alert_id, entity_id
from pipeline.events import AlertAction

ACCEPTED = "accepted by an exemption"
"""Why an alert was resolved whose problem stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """How far an analysis got: the alert types it evaluated, and single verdicts it could not tell.

    ``unknown`` and ``exempt`` hold (alert type, external id), the latter of problems that the tenant accepts. Of the
    types in ``judged_types`` only the entities in ``judged`` were looked at.
    """

    evaluated: frozenset[AlertType]
    unknown: frozenset[tuple[AlertType, str]] = frozenset()
    exempt: frozenset[tuple[AlertType, str]] = frozenset()
    judged_types: frozenset[AlertType] = frozenset()
    judged: frozenset[UUID] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertChange:
    """One alert after the change; ``before`` is ``None`` for a new one. ``action`` names what happened."""

    action: AlertAction
    after: Alert
    before: Alert | None
    reason: str


def reconcile(
    *, source_id: int, stored: Iterable[Alert], findings: Iterable[Finding], assessment: Assessment, now: datetime
) -> tuple[AlertChange, ...]:
    """The changes, in a fixed order: those of the findings as they come, then what is resolved, by id.

    Applied once or twice, the stored alerts end up the same.
    """
    by_id = {alert.id: alert for alert in stored}
    changes: list[AlertChange] = []
    seen: set[UUID] = set()
    for finding in findings:
        if finding.alert_type not in assessment.evaluated:
            continue
        entity = entity_id(source_id, finding.entity_type, finding.external_id)
        key = alert_id(source_id, finding.alert_type, entity, finding.subject)
        if key in seen:
            continue
        seen.add(key)
        change = _raise(by_id.get(key), key, entity, finding, now)
        if change is not None:
            changes.append(change)
    changes.extend(
        _resolve(alert, assessment, now)
        for key, alert in sorted(by_id.items())
        if key not in seen and _may_resolve(alert, assessment)
    )
    return tuple(changes)


def _raise(stored: Alert | None, key: UUID, entity: UUID, finding: Finding, now: datetime) -> AlertChange | None:
    """What a finding does to the one alert of its identity."""
    if stored is None:
        return AlertChange(
            action=AlertAction.CREATED, after=_new(key, entity, finding, now), before=None, reason="found"
        )
    if stored.status is AlertStatus.RESOLVED:
        after = replace(_described(stored, finding, now), status=AlertStatus.ACTIVE, resolved_at=None)
        return AlertChange(action=AlertAction.REOPENED, after=after, before=stored, reason="found again")
    if stored.evidence_hash == finding.evidence_hash and stored.message == finding.message:
        return None
    return AlertChange(
        action=AlertAction.UPDATED, after=_described(stored, finding, now), before=stored, reason="evidence changed"
    )


def _new(key: UUID, entity: UUID, finding: Finding, now: datetime) -> Alert:
    return Alert(
        id=key,
        alert_type=finding.alert_type,
        entity_id=entity,
        entity_type=finding.entity_type,
        external_id=finding.external_id,
        subject=finding.subject,
        severity=finding.severity,
        status=AlertStatus.ACTIVE,
        message=finding.message,
        reasons=finding.reasons,
        evidence=finding.evidence,
        evidence_hash=finding.evidence_hash,
        created_at=now,
        updated_at=now,
    )


def _described(stored: Alert, finding: Finding, now: datetime) -> Alert:
    return replace(
        stored,
        severity=finding.severity,
        message=finding.message,
        reasons=finding.reasons,
        evidence=finding.evidence,
        evidence_hash=finding.evidence_hash,
        updated_at=now,
    )


def _may_resolve(alert: Alert, assessment: Assessment) -> bool:
    """Only an open alert whose rule was evaluated and whose own verdict was told. A suppression stays as it is."""
    return (
        alert.status in OPEN_STATUSES
        and alert.alert_type in assessment.evaluated
        and (alert.alert_type, alert.external_id) not in assessment.unknown
        and (alert.alert_type not in assessment.judged_types or alert.entity_id in assessment.judged)
    )


def _resolve(alert: Alert, assessment: Assessment, now: datetime) -> AlertChange:
    after = replace(alert, status=AlertStatus.RESOLVED, resolved_at=now, updated_at=now)
    accepted = (alert.alert_type, alert.external_id) in assessment.exempt
    reason = ACCEPTED if accepted else "no longer found"
    return AlertChange(action=AlertAction.RESOLVED, after=after, before=alert, reason=reason)


MANAGED = frozenset(tag.value for tag in Tag)
UNMARKED = EntityMarks()


def marks(
    *, alerts: Iterable[Alert], admins: frozenset[UUID] | None, current: Mapping[UUID, EntityMarks]
) -> dict[UUID, EntityMarks]:
    """The entities whose tags or state must change, with what they are to be, given every alert of the source.

    ``admins`` is ``None`` when the analysis could not tell who is one: the tag then stays where it is. Tags that
    people have put on an entity are kept. No stored entity stands behind an alert about the tenant itself.
    """
    worst: dict[UUID, Severity] = {}
    tags: dict[UUID, set[str]] = {admin: {Tag.ADMIN.value} for admin in _admins(admins, current)}
    for alert in alerts:
        if not alert.status.open or alert.entity_type is EntityType.TENANTS:
            continue
        if alert.entity_id not in worst or alert.severity.rank > worst[alert.entity_id].rank:
            worst[alert.entity_id] = alert.severity
        if alert.alert_type in TAG_OF:
            tags.setdefault(alert.entity_id, set()).add(TAG_OF[alert.alert_type].value)
    changed: dict[UUID, EntityMarks] = {}
    for entity in worst.keys() | tags.keys() | current.keys():
        own = current.get(entity, UNMARKED)
        kept = (tag for tag in own.tags if tag not in MANAGED)
        wanted = EntityMarks(
            tags=(*kept, *sorted(tags.get(entity, ()))),
            state=STATE_OF[worst[entity]] if entity in worst else EntityState.NORMAL,
        )
        if (set(wanted.tags), wanted.state) != (set(own.tags), own.state):
            changed[entity] = wanted
    return changed


def _admins(admins: frozenset[UUID] | None, current: Mapping[UUID, EntityMarks]) -> Iterable[UUID]:
    if admins is not None:
        return admins
    return (entity for entity, own in current.items() if Tag.ADMIN.value in own.tags)
