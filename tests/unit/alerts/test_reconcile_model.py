"""Reconciliation against a model: a plain dictionary of statuses, told the same story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.reconcile import Assessment
from pipeline.domain.alerts import OPEN_STATUSES, Alert, AlertStatus
from pipeline.domain.findings import AlertType, Finding, Severity
from tests.unit.alerts.build import NOW, after, changes, finding

Key = tuple[AlertType, str, str]
"""Alert type, external id, subject: what a person would call the same alert."""

keys: st.SearchStrategy[Key] = st.tuples(
    st.sampled_from(AlertType), st.sampled_from(["ann", "bob", "cleo"]), st.sampled_from(["", "E3"])
)
severities = st.sampled_from(Severity)
evaluated = st.frozensets(st.sampled_from(AlertType))
unknowns = st.frozensets(st.tuples(st.sampled_from(AlertType), st.sampled_from(["ann", "bob"])), max_size=3)
actions = st.dictionaries(keys, st.sampled_from(AlertStatus), max_size=3)


@dataclass(frozen=True, slots=True)
class Sync:
    """What one analysis found and told, and what people then did."""

    findings: Mapping[Key, Severity]
    assessment: Assessment
    people: Mapping[Key, AlertStatus]

    def found(self) -> list[Finding]:
        return [
            finding(name, kind, subject=subject, severity=severity)
            for (kind, name, subject), severity in self.findings.items()
        ]


syncs = st.builds(
    Sync,
    st.dictionaries(keys, severities, max_size=8),
    st.builds(lambda done, unknown: Assessment(evaluated=done, unknown=unknown), evaluated, unknowns),
    actions,
)


def key_of(alert: Alert) -> Key:
    return alert.alert_type, alert.external_id, alert.subject


def modelled(model: dict[Key, tuple[AlertStatus, Severity]], sync: Sync) -> dict[Key, tuple[AlertStatus, Severity]]:
    """The rules again, as briefly as they can be said."""
    told = dict(model)
    for key, severity in sync.findings.items():
        if key[0] in sync.assessment.evaluated:
            status = model[key][0] if key in model else AlertStatus.ACTIVE
            told[key] = (AlertStatus.ACTIVE if status is AlertStatus.RESOLVED else status, severity)
    for key, (status, severity) in model.items():
        silent = key[0] not in sync.assessment.evaluated or key[:2] in sync.assessment.unknown
        if status in OPEN_STATUSES and key not in sync.findings and not silent:
            told[key] = (AlertStatus.RESOLVED, severity)
    return told


def acted(stored: dict[UUID, Alert], people: Mapping[Key, AlertStatus]) -> dict[UUID, Alert]:
    return {key: replace(alert, status=people.get(key_of(alert), alert.status)) for key, alert in stored.items()}


@given(st.lists(syncs, max_size=6))
def test_over_any_story_the_alerts_are_those_of_the_model(story: list[Sync]) -> None:
    stored: dict[UUID, Alert] = {}
    model: dict[Key, tuple[AlertStatus, Severity]] = {}
    for number, sync in enumerate(story):
        moment = NOW + timedelta(hours=number)

        stored = after(stored, *sync.found(), assessment=sync.assessment, now=moment)
        model = modelled(model, sync)

        assert {key_of(alert): (alert.status, alert.severity) for alert in stored.values()} == model
        assert len(stored) == len(model), "one alert for each identity, ever"
        stored = acted(stored, sync.people)
        model = {key: (sync.people.get(key, status), severity) for key, (status, severity) in model.items()}


@given(syncs, syncs)
def test_twice_is_once(before: Sync, sync: Sync) -> None:
    stored = acted(after({}, *before.found(), assessment=before.assessment), before.people)

    once = after(stored, *sync.found(), assessment=sync.assessment)

    assert changes(once, *sync.found(), assessment=sync.assessment) == ()


@given(syncs, st.data())
def test_the_order_of_findings_and_of_alerts_does_not_matter(sync: Sync, data: st.DataObject) -> None:
    stored = after({}, *sync.found(), assessment=sync.assessment)
    shuffled = dict(data.draw(st.permutations(list(stored.items()))))
    findings = data.draw(st.permutations(sync.found()))

    assert after(shuffled, *findings, assessment=sync.assessment) == after(
        stored, *sync.found(), assessment=sync.assessment
    )


@given(syncs, syncs)
def test_a_change_starts_from_what_is_stored_and_keeps_when_it_was_raised(before: Sync, sync: Sync) -> None:
    stored = after({}, *before.found(), assessment=before.assessment, now=NOW)

    for change in changes(stored, *sync.found(), assessment=sync.assessment):
        assert change.before == stored.get(change.after.id)
        assert change.before is None or change.after.created_at == change.before.created_at
