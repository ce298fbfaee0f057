"""What becomes of an alert: a table of every status against being found, gone or not told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.alerts.reconcile import Assessment
from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import AlertType, Severity
from pipeline.events import AlertAction
from tests.unit.alerts.build import EVERYTHING, LATER, NOW, after, changes, finding, raised

ACTIVE, ACKNOWLEDGED, SUPPRESSED, RESOLVED = (
    AlertStatus.ACTIVE,
    AlertStatus.ACKNOWLEDGED,
    AlertStatus.SUPPRESSED,
    AlertStatus.RESOLVED,
)


def test_a_finding_raises_one_active_alert() -> None:
    (change,) = changes({}, finding(), now=NOW)

    alert = change.after
    assert (change.action, change.before, alert.status) == (AlertAction.CREATED, None, ACTIVE)
    assert (alert.created_at, alert.updated_at, alert.resolved_at) == (NOW, NOW, None)
    assert (alert.severity, alert.message, alert.reasons) == (Severity.HIGH, "MFA is not enforced.", ("users",))


@pytest.mark.parametrize(
    ("status", "still", "gone"),
    [
        (ACTIVE, ACTIVE, RESOLVED),
        (ACKNOWLEDGED, ACKNOWLEDGED, RESOLVED),
        (SUPPRESSED, SUPPRESSED, SUPPRESSED),
        (RESOLVED, ACTIVE, RESOLVED),
    ],
)
def test_where_an_alert_goes_when_it_is_found_again_and_when_it_is_not(
    status: AlertStatus, still: AlertStatus, gone: AlertStatus
) -> None:
    stored = raised(finding(), status=status)

    (found,), (missed,) = after(stored, finding()).values(), after(stored).values()

    assert (found.status, missed.status) == (still, gone)


@pytest.mark.parametrize("status", [ACTIVE, ACKNOWLEDGED, SUPPRESSED])
def test_an_alert_found_unchanged_is_not_written(status: AlertStatus) -> None:
    assert changes(raised(finding(), status=status), finding()) == ()


@pytest.mark.parametrize("status", [ACTIVE, ACKNOWLEDGED, SUPPRESSED])
@pytest.mark.parametrize(
    "different",
    [finding(severity=Severity.CRITICAL), finding(message="Other words."), finding(reasons=("location",))],
    ids=["severity", "message", "reasons"],
)
def test_a_change_of_what_was_found_updates_the_alert_and_leaves_its_status(
    status: AlertStatus, different: object
) -> None:
    assert isinstance(different, type(finding()))
    (change,) = changes(raised(finding(), status=status), different)

    assert (change.action, change.after.status) == (AlertAction.UPDATED, status)
    assert (change.after.severity, change.after.message, change.after.reasons, change.after.updated_at) == (
        different.severity,
        different.message,
        different.reasons,
        LATER,
    )
    assert change.after.created_at == NOW


def test_a_resolved_alert_that_is_found_again_is_reopened_under_its_id() -> None:
    stored = raised(finding(), status=RESOLVED)

    (change,) = changes(stored, finding())

    assert change.action is AlertAction.REOPENED
    assert change.after.id in stored
    assert (change.after.created_at, change.after.resolved_at) == (NOW, None)


def test_a_resolved_alert_carries_when() -> None:
    (change,) = changes(raised(finding()))

    assert (change.action, change.after.resolved_at) == (AlertAction.RESOLVED, LATER)


@pytest.mark.parametrize("status", list(AlertStatus))
@pytest.mark.parametrize("alert_type", list(AlertType))
def test_an_alert_of_a_type_that_did_not_complete_is_not_touched(alert_type: AlertType, status: AlertStatus) -> None:
    others = Assessment(evaluated=frozenset(AlertType) - {alert_type})
    worse = finding(alert_type=alert_type, severity=Severity.CRITICAL)
    stored = raised(finding(alert_type=alert_type), status=status)

    assert changes(stored, assessment=others) == ()
    assert changes(stored, worse, assessment=others) == ()
    assert changes({}, worse, assessment=others) == ()


def test_an_alert_whose_verdict_could_not_be_told_is_not_resolved_and_its_neighbours_are() -> None:
    stored = raised(finding("ann"), finding("bob"), finding("ann", AlertType.STALE_USER))
    unknown = replace(EVERYTHING, unknown=frozenset({(AlertType.MFA_NOT_ENFORCED, "ann")}))

    found = {(a.external_id, a.alert_type): a.status for a in after(stored, assessment=unknown).values()}

    assert found == {
        ("ann", AlertType.MFA_NOT_ENFORCED): ACTIVE,
        ("bob", AlertType.MFA_NOT_ENFORCED): RESOLVED,
        ("ann", AlertType.STALE_USER): RESOLVED,
    }


def test_alerts_are_told_apart_by_type_entity_and_subject_and_by_nothing_else() -> None:
    waste = AlertType.LICENSE_WASTE
    distinct = [
        finding(),
        finding("bob"),
        finding(alert_type=waste, subject="E3"),
        finding(alert_type=waste, subject="E5"),
    ]
    same = [finding(message="Again.", severity=Severity.LOW, reasons=())]

    assert len(after({}, *distinct, *same)) == len(distinct)


def test_of_two_findings_of_one_alert_the_first_counts() -> None:
    (alert,) = after({}, finding(message="First."), finding(message="Second.")).values()

    assert alert.message == "First."
