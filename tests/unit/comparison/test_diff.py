"""The difference between two branches: equal sides give nothing, and each mutation is found under its name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comparison.diff import AlertKey, AlertSide, BranchOutcome, Discrepancy, Kind, Subject, Weight, diff
from pipeline.domain.findings import AlertType

ANN = AlertKey(alert_type=AlertType.LICENSE_WASTE, entity="identities/ann", subject="E3")
BOTH = BranchOutcome(
    entities={"identities/ann": "aa", "groups/g": "bb"},
    relationships=frozenset({"member_of/g/ann"}),
    alerts={ANN: AlertSide(severity="high", codes=frozenset({"account_disabled"}))},
)


def nothing_is_known(_kind: Kind, _alert: AlertKey, _codes: frozenset[str]) -> str:
    return ""


def compared(control: BranchOutcome, candidate: BranchOutcome) -> tuple[Discrepancy, ...]:
    return diff(control, candidate, nothing_is_known)


MUTATIONS = [
    (
        replace(BOTH, entities={"groups/g": "bb"}),
        (Subject.ENTITY, Kind.MISSING, "identities/ann", "identities missing", Weight.CRITICAL),
    ),
    (
        replace(BOTH, entities={**BOTH.entities, "roles/r": "cc"}),
        (Subject.ENTITY, Kind.EXTRA, "roles/r", "roles extra", Weight.WARNING),
    ),
    (
        replace(BOTH, entities={**BOTH.entities, "groups/g": "other"}),
        (Subject.ENTITY, Kind.DIFFERENT, "groups/g", "groups different", Weight.WARNING),
    ),
    (
        replace(BOTH, relationships=frozenset()),
        (Subject.RELATIONSHIP, Kind.MISSING, "member_of/g/ann", "member_of missing", Weight.CRITICAL),
    ),
    (
        replace(BOTH, relationships=BOTH.relationships | {"has_license/s/ann"}),
        (Subject.RELATIONSHIP, Kind.EXTRA, "has_license/s/ann", "has_license extra", Weight.INFO),
    ),
    (
        replace(BOTH, alerts={}),
        (Subject.ALERT, Kind.MISSING, "license_waste/identities/ann/E3", "license_waste missing", Weight.WARNING),
    ),
    (
        replace(BOTH, alerts={**BOTH.alerts, replace(ANN, subject=""): AlertSide(severity="low")}),
        (Subject.ALERT, Kind.EXTRA, "license_waste/identities/ann", "license_waste extra", Weight.INFO),
    ),
    (
        replace(BOTH, alerts={ANN: AlertSide(severity="low")}),
        (Subject.ALERT, Kind.DIFFERENT, "license_waste/identities/ann/E3", "license_waste different", Weight.WARNING),
    ),
]


@pytest.mark.parametrize(("candidate", "expected"), MUTATIONS, ids=[expected[3] for _, expected in MUTATIONS])
def test_each_kind_of_discrepancy_has_its_name_and_weight(
    candidate: BranchOutcome, expected: tuple[Subject, Kind, str, str, Weight]
) -> None:
    (found,) = compared(BOTH, candidate)

    assert (found.subject, found.kind, found.key, found.cause, found.weight) == expected


def test_a_known_difference_carries_its_reason_and_an_unknown_one_none() -> None:
    def known(kind: Kind, alert: AlertKey, codes: frozenset[str]) -> str:
        asked = (kind, alert.alert_type, codes)
        return "Legacy cannot." if asked == (Kind.MISSING, ANN.alert_type, BOTH.alerts[ANN].codes) else ""

    stale = {replace(ANN, alert_type=AlertType.STALE_USER): AlertSide(severity="high")}
    candidate = replace(BOTH, alerts=stale, relationships=frozenset())

    assert [(found.cause, found.declared) for found in diff(BOTH, candidate, known)] == [
        ("member_of missing", ""),
        ("license_waste missing", "Legacy cannot."),
        ("stale_user extra", ""),
    ]


names = st.text(alphabet="abc", min_size=1, max_size=2)
entities = st.dictionaries(
    st.builds(lambda kind, name: f"{kind}/{name}", st.sampled_from(["groups", "roles"]), names), names
)
relationships = st.frozensets(st.builds(lambda a, b: f"member_of/{a}/{b}", names, names))
alert_keys = st.builds(
    AlertKey,
    alert_type=st.sampled_from(AlertType),
    entity=names.map(lambda name: f"identities/{name}"),
    subject=st.just(""),
)
sides = st.builds(AlertSide, severity=st.sampled_from(["low", "high"]), codes=st.frozensets(names, max_size=1))
alerts = st.dictionaries(alert_keys, sides)
outcomes = st.builds(BranchOutcome, entities=entities, relationships=relationships, alerts=alerts)


def copied(outcome: BranchOutcome) -> BranchOutcome:
    """Equal, of other objects in another order."""
    return BranchOutcome(
        entities=dict(reversed(list(outcome.entities.items()))),
        relationships=frozenset(sorted(outcome.relationships, reverse=True)),
        alerts=dict(reversed([(replace(key), replace(side)) for key, side in outcome.alerts.items()])),
    )


@given(outcomes)
def test_equal_sides_give_nothing(outcome: BranchOutcome) -> None:
    assert compared(outcome, copied(outcome)) == ()


MIRRORED = {Kind.MISSING: Kind.EXTRA, Kind.EXTRA: Kind.MISSING, Kind.DIFFERENT: Kind.DIFFERENT}


@given(outcomes, outcomes)
def test_what_one_side_misses_the_other_has_too_many(one: BranchOutcome, other: BranchOutcome) -> None:
    there = [(found.subject, found.key, found.kind) for found in compared(one, other)]
    back = [(found.subject, found.key, MIRRORED[found.kind]) for found in compared(other, one)]

    assert sorted(there) == sorted(back)


def severity(outcome: BranchOutcome, key: AlertKey) -> str:
    return outcome.alerts[key].severity if key in outcome.alerts else ""


@given(outcomes, outcomes)
def test_every_item_on_which_the_sides_differ_is_told_once(one: BranchOutcome, other: BranchOutcome) -> None:
    apart = {
        *(
            (Subject.ENTITY, key)
            for key in {**one.entities, **other.entities}
            if one.entities.get(key) != other.entities.get(key)
        ),
        *((Subject.RELATIONSHIP, key) for key in one.relationships ^ other.relationships),
        *(
            (Subject.ALERT, f"{key.alert_type.value}/{key.entity}")
            for key in {**one.alerts, **other.alerts}
            if severity(one, key) != severity(other, key)
        ),
    }

    told = [(found.subject, found.key) for found in compared(one, other)]

    assert len(told) == len(set(told))
    assert set(told) == apart


@given(outcomes, outcomes)
def test_the_order_does_not_depend_on_the_order_of_the_sides_items(one: BranchOutcome, other: BranchOutcome) -> None:
    assert compared(one, other) == compared(copied(one), copied(other))
