"""The difference between what the control and the candidate hold, item by item.

Everything has a key, so the difference is dictionary and set work: linear in the number of items. "Missing" and
"extra" are said of the candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.findings import AlertType


class Subject(StrEnum):
    """What is compared."""

    ENTITY = "entity"
    RELATIONSHIP = "relationship"
    ALERT = "alert"


class Kind(StrEnum):
    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


class Weight(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


WEIGHTS: Mapping[tuple[Subject, Kind], Weight] = {
    (Subject.ENTITY, Kind.MISSING): Weight.CRITICAL,
    (Subject.ENTITY, Kind.DIFFERENT): Weight.WARNING,
    (Subject.ENTITY, Kind.EXTRA): Weight.WARNING,
    (Subject.RELATIONSHIP, Kind.MISSING): Weight.CRITICAL,
    (Subject.RELATIONSHIP, Kind.EXTRA): Weight.INFO,
    (Subject.ALERT, Kind.MISSING): Weight.WARNING,
    (Subject.ALERT, Kind.DIFFERENT): Weight.WARNING,
    (Subject.ALERT, Kind.EXTRA): Weight.INFO,
}
"""How bad each kind of discrepancy is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertKey:
    """An alert as compared: what it is about, not when it was raised."""

    alert_type: AlertType
    entity: str
    subject: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertSide:
    """An alert as one branch has it. ``codes`` say why it stands; they explain a difference and make none."""

    severity: str
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchOutcome:
    """What a branch holds at its end. Hashes and severities are compared, keys say what belongs to what."""

    entities: Mapping[str, str]
    """"type/external id" → data hash."""
    relationships: frozenset[str]
    """"type/parent/child"."""
    alerts: Mapping[AlertKey, AlertSide]
    """The open alerts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Discrepancy:
    """One item on which the branches differ; ``declared`` is the reason it is known, empty where it is not."""

    subject: Subject
    kind: Kind
    key: str
    cause: str
    """What it has in common with others: entity type, relationship type or alert type, and the kind."""
    declared: str = ""

    @property
    def weight(self) -> Weight:
        return WEIGHTS[self.subject, self.kind]


Declared = Callable[[Kind, AlertKey, frozenset[str]], str]
"""The reason a difference in an alert with these codes is known, or empty."""


def diff(control: BranchOutcome, candidate: BranchOutcome, declared: Declared) -> tuple[Discrepancy, ...]:
    """Every discrepancy, in a fixed order: entities, relationships, alerts, each by key."""
    return (
        *_entities(control.entities, candidate.entities),
        *_relationships(control.relationships, candidate.relationships),
        *_alerts(control.alerts, candidate.alerts, declared),
    )


def _entities(control: Mapping[str, str], candidate: Mapping[str, str]) -> list[Discrepancy]:
    found = [(Kind.MISSING, key) for key in control.keys() - candidate.keys()]
    found += [(Kind.EXTRA, key) for key in candidate.keys() - control.keys()]
    found += [(Kind.DIFFERENT, key) for key in dict(control.items() - candidate.items()) if key in candidate]
    return [
        Discrepancy(subject=Subject.ENTITY, kind=kind, key=key, cause=f"{key.split('/', 1)[0]} {kind.value}")
        for kind, key in sorted(found, key=lambda item: (item[1], item[0]))
    ]


def _relationships(control: frozenset[str], candidate: frozenset[str]) -> list[Discrepancy]:
    found = [(Kind.MISSING, key) for key in control - candidate] + [(Kind.EXTRA, key) for key in candidate - control]
    return [
        Discrepancy(subject=Subject.RELATIONSHIP, kind=kind, key=key, cause=f"{key.split('/', 1)[0]} {kind.value}")
        for kind, key in sorted(found, key=lambda item: (item[1], item[0]))
    ]


def _alerts(
    control: Mapping[AlertKey, AlertSide], candidate: Mapping[AlertKey, AlertSide], declared: Declared
) -> list[Discrepancy]:
    found = [(Kind.MISSING, key, control[key].codes) for key in control.keys() - candidate.keys()]
    found += [(Kind.EXTRA, key, candidate[key].codes) for key in candidate.keys() - control.keys()]
    found += [
        (Kind.DIFFERENT, key, side.codes | candidate[key].codes)
        for key, side in control.items()
        if key in candidate and side.severity != candidate[key].severity
    ]
    return sorted(
        (
            Discrepancy(
                subject=Subject.ALERT,
                kind=kind,
                key="/".join(part for part in (key.alert_type.value, key.entity, key.subject) if part),
                cause=f"{key.alert_type.value} {kind.value}",
                declared=declared(kind, key, codes),
            )
            for kind, key, codes in found
        ),
        key=lambda item: (item.key, item.kind),
    )
