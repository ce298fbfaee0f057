"""What a rule that is set otherwise would raise and take back, over a tenant as it was read."""

from __future__ import annotations

import pytest

from analyzers.catalogue import rule_of
from analyzers.replay import Replay, Standing, replay
from pipeline.domain.capture import Resource
from pipeline.domain.findings import AlertType, Severity
from pipeline.domain.rule_settings import FIRST_TIME, ExemptionKind, RuleState
from tests.unit.analyzers.build import NOW, ago, tenant, user
from tests.unit.analyzers.judging import exempting, with_threshold

STALE = AlertType.STALE_USER
UNUSED_FOR = {"ada": 1, "bob": 50, "eve": 100, "mia": 200}
GRAPH = tenant(users=[user(key, last_success=ago(days)) for key, days in UNUSED_FOR.items()])


def standing(key: str, severity: Severity = Severity.LOW, subject: str = "") -> Standing:
    return Standing(external_id=key, subject=subject, severity=severity, message=f"about {key}")


def at(threshold: int, *, state: RuleState = FIRST_TIME) -> Replay:
    """The small tenant with another threshold."""
    return replay(rule_of(STALE), GRAPH, NOW, state=state, threshold=threshold)


def against(*alerts: Standing, state: RuleState = FIRST_TIME) -> Replay:
    """The rule as it is set, over the small tenant in which these alerts are open."""
    return replay(rule_of(STALE), GRAPH, NOW, state=state, threshold=None, standing=alerts)


def ids(alerts: tuple[Standing, ...]) -> list[str]:
    return [alert.external_id for alert in alerts]


@pytest.mark.parametrize(
    ("threshold", "gained", "lost", "kept"),
    [
        (90, [], [], 2),
        (30, ["bob"], [], 2),
        (150, [], ["eve"], 1),
        (730, [], ["eve", "mia"], 0),
        (7, ["bob"], [], 2),
    ],
)
def test_another_threshold_is_compared_with_the_one_in_force(
    threshold: int, gained: list[str], lost: list[str], kept: int
) -> None:
    found = at(threshold)

    assert (ids(found.gained), ids(found.lost), found.kept) == (gained, lost, kept)
    assert (found.changed, found.untold) == ((), "")


def test_the_threshold_in_force_is_the_tenants_own() -> None:
    found = at(90, state=with_threshold(STALE, 30))

    assert (ids(found.gained), ids(found.lost), found.kept) == ([], ["bob"], 2)


def test_open_alerts_do_not_count_where_thresholds_are_compared() -> None:
    found = replay(rule_of(STALE), GRAPH, NOW, state=FIRST_TIME, threshold=30, standing=[standing("ada")])

    assert (ids(found.gained), ids(found.lost)) == (["bob"], [])


def test_without_a_threshold_the_findings_are_compared_with_the_open_alerts() -> None:
    found = against(standing("ada"), standing("eve"))

    assert (ids(found.gained), ids(found.lost), found.kept) == (["mia"], ["ada"], 1)
    assert found.lost == (standing("ada"),), "as it stands"
    assert "mia@contoso.com" in found.gained[0].message


def test_another_severity_is_a_change_and_tells_the_new_one() -> None:
    found = against(standing("eve", Severity.HIGH), standing("mia"))

    assert [(one.external_id, one.severity) for one in found.changed] == [("eve", Severity.LOW)]
    assert (found.gained, found.lost, found.kept) == ((), (), 1)


def test_alerts_of_one_user_on_several_subjects_are_told_apart() -> None:
    graph = tenant(users=[user("ada", enabled=False, sku_ids=("e3", "e5"))])
    alerts = [standing("ada", Severity.MEDIUM, subject) for subject in ("e3", "f1")]

    found = replay(rule_of(AlertType.LICENSE_WASTE), graph, NOW, state=FIRST_TIME, threshold=None, standing=alerts)

    assert [one.subject for one in found.gained] == ["e5"]
    assert [one.subject for one in found.lost] == ["f1"]
    assert found.kept == 1


def test_an_exempt_user_is_gained_by_no_threshold() -> None:
    assert at(30, state=exempting(ExemptionKind.USER, "bob")).gained == ()


def test_an_alert_that_is_suppressed_neither_comes_nor_goes() -> None:
    suppressed = {("eve", ""), ("ada", "")}

    found = replay(
        rule_of(STALE),
        GRAPH,
        NOW,
        state=FIRST_TIME,
        threshold=None,
        standing=[standing("mia")],
        suppressed=suppressed,
    )
    assert (found.gained, found.lost, found.kept) == ((), (), 1)

    set_otherwise = replay(rule_of(STALE), GRAPH, NOW, state=FIRST_TIME, threshold=150, suppressed=suppressed)
    assert (set_otherwise.gained, set_otherwise.lost, set_otherwise.kept) == ((), (), 1)


def test_an_alert_on_a_user_of_whom_nothing_can_be_told_is_not_lost() -> None:
    graph = tenant(users=[user("ada", enabled=None, last_success=ago(200))])

    found = replay(
        rule_of(STALE), graph, NOW, state=FIRST_TIME, threshold=None, standing=[standing("ada"), standing("gone")]
    )

    assert ids(found.lost) == ["gone"]


@pytest.mark.parametrize("threshold", [None, 30])
def test_a_rule_that_cannot_be_told_loses_and_gains_nothing(threshold: int | None) -> None:
    graph = tenant(unread={Resource.SIGN_IN_ACTIVITY: "the tenant has no premium licence"})

    found = replay(
        rule_of(STALE), graph, NOW, state=FIRST_TIME, threshold=threshold, standing=[standing("ada"), standing("eve")]
    )

    assert found == Replay(untold="signInActivity could not be read: the tenant has no premium licence")


def test_other_rules_of_the_same_analysis_type_are_left_out() -> None:
    graph = tenant(users=[user("ada")])

    found = {
        kind: replay(rule_of(kind), graph, NOW, state=FIRST_TIME, threshold=None)
        for kind in (AlertType.MFA_NOT_ENFORCED, AlertType.MFA_PARTIAL_ENFORCED)
    }

    assert ids(found[AlertType.MFA_NOT_ENFORCED].gained) == ["ada"]
    assert found[AlertType.MFA_PARTIAL_ENFORCED] == Replay()
