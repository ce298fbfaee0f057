"""Identifiers that hold still, states that explain themselves, and tables that leave nothing out."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.catalogue import fed_by
from pipeline.domain.alerts import OPEN_STATUSES, STATE_OF, TRANSITIONS, AlertStatus, EntityState
from pipeline.domain.capture import ENTITY_TYPE_OF, RESOURCES, Resource, SyncType
from pipeline.domain.entities import ENTITY_CLASSES, EntityType
from pipeline.domain.findings import OWNER, AlertType, AnalysisType, Finding, Severity
from pipeline.domain.ids import alert_id, entity_id, entity_key
from pipeline.domain.runs import BRANCH_STAGES, ENDED_STEPS, RunState, Stage, StepState
from pipeline.storage.tenants import INTERVAL_MINUTES

ANN = Finding(
    alert_type=AlertType.LICENSE_WASTE,
    severity=Severity.LOW,
    entity_type=EntityType.IDENTITIES,
    external_id="ann",
    message="Ann holds E3 and does not use it.",
    evidence={"sku": "E3", "days": 90, "groups": ["g", "h"]},
)


def test_ids_are_what_they_were_when_the_first_row_was_written() -> None:
    entity = entity_id(1, EntityType.IDENTITIES, "ann")

    assert entity == UUID("cd787ebe-f988-d5ab-3148-14bba45ccdca")
    assert entity_key(1, EntityType.IDENTITIES, "ann") == entity.hex
    assert alert_id(1, AlertType.STALE_USER, entity, "") == UUID("d30c50c2-f2f4-d685-89f7-05272ba7ee65")


parts = st.tuples(st.integers(1, 30), st.sampled_from(EntityType), st.text(max_size=4))


@given(parts, parts)
def test_ids_are_equal_exactly_when_what_they_identify_is(
    one: tuple[int, EntityType, str], other: tuple[int, EntityType, str]
) -> None:
    assert (entity_id(*one) == entity_id(*other)) is (one == other)


def test_the_evidence_hash_follows_severity_reasons_and_evidence_and_nothing_else() -> None:
    assert replace(ANN, message="Other words.").evidence_hash == ANN.evidence_hash
    reordered = dict(reversed(ANN.evidence.items())) if isinstance(ANN.evidence, dict) else {}
    assert replace(ANN, evidence=reordered).evidence_hash == ANN.evidence_hash
    different = [
        replace(ANN, severity=Severity.HIGH),
        replace(ANN, reasons=("stale",)),
        replace(ANN, evidence={**ANN.evidence, "sku": "E5"}),
        replace(ANN, evidence={**ANN.evidence, "groups": ["g"]}),
    ]
    assert len({finding.evidence_hash for finding in (ANN, *different)}) == 5


@pytest.mark.parametrize("states", [AlertStatus, RunState, StepState])
def test_every_state_carries_a_sentence_of_its_own(states: type[AlertStatus | RunState | StepState]) -> None:
    sentences = [state.sentence for state in states]

    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


def test_every_alert_status_leads_somewhere_else_and_none_to_itself() -> None:
    assert set(TRANSITIONS) == set(AlertStatus)
    assert all(targets and status not in targets for status, targets in TRANSITIONS.items())
    assert frozenset({AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED}) == OPEN_STATUSES


def test_stages_come_in_the_order_a_run_does_them() -> None:
    assert sorted(Stage, key=lambda stage: stage.position) == list(Stage)
    assert BRANCH_STAGES == (Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT)
    assert {state for state in StepState if state.ended} == ENDED_STEPS


def test_severities_rank_from_low_to_critical_and_show_on_entities() -> None:
    ordered = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]

    assert sorted(Severity, key=lambda severity: severity.rank) == ordered
    assert [STATE_OF[severity] for severity in ordered] == [
        EntityState.LOW,
        EntityState.WARN,
        EntityState.CRITICAL,
        EntityState.CRITICAL,
    ]


def test_the_tables_leave_nothing_out() -> None:
    assert set(OWNER) == set(AlertType)
    assert set(RESOURCES) == set(SyncType) == set(INTERVAL_MINUTES)
    assert sorted(resource for found in RESOURCES.values() for resource in found) == sorted(Resource)
    assert set(ENTITY_TYPE_OF.values()) == set(ENTITY_CLASSES)
    assert set(ENTITY_CLASSES) == set(EntityType) - {EntityType.TENANTS}
    assert fed_by(SyncType) == set(AnalysisType) - {AnalysisType.TENANT}


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        (SyncType.IDENTITIES, 30),
        (SyncType.POLICIES, 360),
        (SyncType.GROUPS, 720),
        (SyncType.LICENSES, 720),
        (SyncType.ROLES, 1440),
        (SyncType.APPLICATIONS, 1440),
        (SyncType.ORGANIZATION, 1440),
    ],
)
def test_each_kind_of_sync_is_due_as_often_as_documented(kind: SyncType, minutes: int) -> None:
    assert INTERVAL_MINUTES[kind] == minutes
