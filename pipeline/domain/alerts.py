"""An alert and the states it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Evidence, Severity


class AlertStatus(StrEnum):
    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]

    @property
    def open(self) -> bool:
        """True while the problem stands and somebody should see it."""
        return self in OPEN_STATUSES


_SENTENCES = {
    AlertStatus.ACTIVE: "The problem stands.",
    AlertStatus.ACKNOWLEDGED: "The problem stands and somebody is on it.",
    AlertStatus.SUPPRESSED: "The problem stands and is accepted for now.",
    AlertStatus.RESOLVED: "The problem was seen to be gone.",
}
OPEN_STATUSES = frozenset({AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED})

TRANSITIONS: Mapping[AlertStatus, frozenset[AlertStatus]] = {
    AlertStatus.ACTIVE: frozenset({AlertStatus.ACKNOWLEDGED, AlertStatus.SUPPRESSED, AlertStatus.RESOLVED}),
    AlertStatus.ACKNOWLEDGED: frozenset({AlertStatus.ACTIVE, AlertStatus.SUPPRESSED, AlertStatus.RESOLVED}),
    AlertStatus.SUPPRESSED: frozenset({AlertStatus.ACTIVE, AlertStatus.RESOLVED}),
    AlertStatus.RESOLVED: frozenset({AlertStatus.ACTIVE, AlertStatus.SUPPRESSED}),
}
"""From where to where an alert may go."""


class EntityState(StrEnum):
    """How an entity stands, from its worst open alert."""

    NORMAL = "normal"
    LOW = "low"
    WARN = "warn"
    CRITICAL = "critical"


STATE_OF: Mapping[Severity, EntityState] = {
    Severity.LOW: EntityState.LOW,
    Severity.MEDIUM: EntityState.WARN,
    Severity.HIGH: EntityState.CRITICAL,
    Severity.CRITICAL: EntityState.CRITICAL,
}


class Tag(StrEnum):
    """The tags the pipeline keeps on identities; any other tag belongs to a person and is left alone."""

    MFA_NONE = "MFA None"
    MFA_PARTIAL = "MFA Partial"
    STALE = "Stale"
    ADMIN = "Admin"


TAG_OF: Mapping[AlertType, Tag] = {
    AlertType.MFA_NOT_ENFORCED: Tag.MFA_NONE,
    AlertType.MFA_PARTIAL_ENFORCED: Tag.MFA_PARTIAL,
    AlertType.STALE_USER: Tag.STALE,
}
"""The tag an open alert puts on its entity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntityMarks:
    """What alerts leave on an entity."""

    tags: tuple[str, ...] = ()
    state: EntityState = EntityState.NORMAL


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One alert as stored. ``id`` follows from source, type, entity and subject."""

    id: UUID
    alert_type: AlertType
    entity_id: UUID
    entity_type: EntityType
    external_id: str
    subject: str
    severity: Severity
    status: AlertStatus
    message: str
    reasons: tuple[str, ...]
    evidence: Evidence
    evidence_hash: str
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
