"""Tags and states of entities, from their open alerts."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.reconcile import marks
from pipeline.domain.alerts import Alert, AlertStatus, EntityMarks, EntityState
from pipeline.domain.findings import AlertType, Finding, Severity
from tests.unit.alerts.build import entity, finding, raised

ANN, BOB = entity("ann"), entity("bob")
CLEAN = EntityMarks()


def marked(
    alerts: dict[UUID, Alert],
    current: dict[UUID, EntityMarks] | None = None,
    admins: frozenset[UUID] | None = frozenset(),
) -> dict[UUID, EntityMarks]:
    return marks(alerts=alerts.values(), admins=admins, current=current or {})


@pytest.mark.parametrize(
    ("severities", "state"),
    [
        ([], EntityState.NORMAL),
        ([Severity.LOW], EntityState.LOW),
        ([Severity.LOW, Severity.MEDIUM], EntityState.WARN),
        ([Severity.HIGH, Severity.LOW], EntityState.CRITICAL),
        ([Severity.MEDIUM, Severity.CRITICAL, Severity.LOW], EntityState.CRITICAL),
    ],
)
def test_an_entity_stands_as_its_worst_open_alert(severities: list[Severity], state: EntityState) -> None:
    alerts = raised(
        *(finding(severity=one, alert_type=AlertType.LICENSE_WASTE, subject=one.value) for one in severities)
    )

    assert marked(alerts).get(ANN, CLEAN).state is state


@pytest.mark.parametrize(
    ("alert_type", "tag"),
    [
        (AlertType.MFA_NOT_ENFORCED, "MFA None"),
        (AlertType.MFA_PARTIAL_ENFORCED, "MFA Partial"),
        (AlertType.STALE_USER, "Stale"),
    ],
)
@pytest.mark.parametrize("status", list(AlertStatus))
def test_an_open_alert_puts_its_tag_and_any_other_takes_it_away(
    alert_type: AlertType, tag: str, status: AlertStatus
) -> None:
    alerts = raised(finding(alert_type=alert_type), status=status)
    tagged = EntityMarks(tags=(tag,), state=EntityState.CRITICAL)

    if status in {AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED}:
        assert marked(alerts) == {ANN: tagged}
        assert marked(alerts, {ANN: tagged}) == {}
    else:
        assert marked(alerts) == {}
        assert marked(alerts, {ANN: tagged}) == {ANN: CLEAN}


def test_tags_that_people_put_on_an_entity_are_kept() -> None:
    current = {
        ANN: EntityMarks(tags=("VIP", "Stale", "Board"), state=EntityState.LOW),
        BOB: EntityMarks(tags=("VIP",)),
    }

    assert marked({}, current) == {ANN: EntityMarks(tags=("VIP", "Board"))}
    assert marked(raised(finding("bob", AlertType.STALE_USER, severity=Severity.LOW)), {BOB: current[BOB]}) == {
        BOB: EntityMarks(tags=("VIP", "Stale"), state=EntityState.LOW)
    }


def test_the_admin_tag_follows_who_is_one() -> None:
    current = {BOB: EntityMarks(tags=("Admin",))}

    assert marked({}, current, admins=frozenset({ANN})) == {ANN: EntityMarks(tags=("Admin",)), BOB: CLEAN}


def test_the_admin_tag_stays_where_it_is_when_nobody_can_tell_who_is_one() -> None:
    current = {BOB: EntityMarks(tags=("Admin", "VIP"))}

    assert marked({}, current, admins=None) == {}
    found = marked(raised(finding("bob")), current, admins=None)
    assert set(found[BOB].tags) == {"Admin", "VIP", "MFA None"}


names = st.sampled_from(["ann", "bob", "cleo"])
findings: st.SearchStrategy[list[Finding]] = st.lists(
    st.builds(finding, names, st.sampled_from(AlertType), severity=st.sampled_from(Severity)), max_size=6
)
tags = st.lists(st.sampled_from(["VIP", "Board", "Stale", "MFA None", "Admin"]), unique=True).map(tuple)
currents = st.dictionaries(
    names.map(entity), st.builds(lambda t, s: EntityMarks(tags=t, state=s), tags, st.sampled_from(EntityState))
)
admins = st.none() | st.frozensets(names.map(entity))


@given(findings, currents, admins)
def test_marking_twice_is_marking_once_and_never_loses_a_persons_tag(
    found: list[Finding], current: dict[UUID, EntityMarks], known: frozenset[UUID] | None
) -> None:
    alerts = raised(*found)

    after = current | marked(alerts, current, known)

    assert marked(alerts, after, known) == {}
    for key, before in current.items():
        assert {"VIP", "Board"} & set(before.tags) == {"VIP", "Board"} & set(after[key].tags)
