"""Which alerts on stopped rules are raised, told anew and resolved, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pipeline.domain.alerts import Alert, AlertStatus
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import THE_TENANT, AlertType, Severity
from pipeline.domain.runs import Origin, Scope
from pipeline.events import AlertAction
from pipeline.stages.rule_watch import FEEDING, KIND, Watched, finding, plan
from pipeline.storage.coverage import StoppedRule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FIRST, SECOND = Scope(tenant_id=1, source_id=1), Scope(tenant_id=2, source_id=2)
UNREAD = "users could not be read: the list ended early"
STALE, WASTE, GAP = AlertType.STALE_USER, AlertType.LICENSE_WASTE, AlertType.POLICY_GAP


def origin_of(scope: Scope, run: int = 1) -> Origin:
    return Origin(scope=scope, run_id=UUID(int=run), trace_id=f"trace-{run}")


def stopped(
    alert_type: AlertType,
    *,
    scope: Scope = FIRST,
    run: int = 1,
    evaluated_at: datetime | None = NOW - timedelta(days=3),
    skipped: str = "",
) -> StoppedRule:
    return StoppedRule(origin=origin_of(scope, run), alert_type=alert_type, evaluated_at=evaluated_at, skipped=skipped)


def raised(*rules: StoppedRule) -> tuple[Origin, Alert]:
    """The alert on the stopped rules of one source, as it is stored, with the run it is told of."""
    (watched,) = plan(rules, {}, NOW)
    (change,) = watched.changes
    return watched.origin, change.after


def actions(planned: Sequence[Watched]) -> list[tuple[int, list[AlertAction]]]:
    """(source id, what happens to its alert) of every source of which something does."""
    return [(one.origin.scope.source_id, [change.action for change in one.changes]) for one in planned]


def test_one_finding_names_all_stopped_rules_of_a_tenant() -> None:
    found = finding([stopped(WASTE), stopped(STALE)])

    assert (found.alert_type, found.severity) == (KIND, Severity.MEDIUM)
    assert (found.entity_type, found.external_id, found.subject) == (EntityType.TENANTS, THE_TENANT, "")
    assert found.evidence == {"rules": ["license_waste", "stale_user"]}
    assert found.reasons == ("stopped",)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            [stopped(STALE, skipped=UNREAD)],
            f"1 rule has not been evaluated for twice the interval: stale_user ({UNREAD}).",
        ),
        (
            [stopped(STALE)],
            "1 rule has not been evaluated for twice the interval: stale_user, for no run came to it.",
        ),
        (
            [stopped(WASTE), stopped(STALE)],
            "2 rules have not been evaluated for twice the interval: license_waste, stale_user, for no run came to"
            " them.",
        ),
        (
            [stopped(WASTE, skipped=UNREAD), stopped(GAP), stopped(STALE, skipped=UNREAD)],
            "3 rules have not been evaluated for twice the interval: license_waste, policy_gap, stale_user"
            f" ({UNREAD}).",
        ),
        (
            [stopped(kind) for kind in (WASTE, AlertType.NEVER_SIGNED_IN, GAP, STALE)],
            "4 rules have not been evaluated for twice the interval: license_waste, never_signed_in, policy_gap and"
            " 1 more, for no run came to them.",
        ),
    ],
)
def test_the_message_says_how_many_which_and_why(rules: list[StoppedRule], message: str) -> None:
    assert finding(rules).message == message


def test_rules_that_never_were_evaluated_are_told_as_such_only_where_none_was() -> None:
    never = stopped(STALE, evaluated_at=None)

    assert finding([never]).reasons == ("never_evaluated",)
    assert finding([stopped(WASTE), never]).reasons == ("stopped",)


def test_for_how_long_a_rule_has_stopped_changes_nothing_of_the_alert() -> None:
    longer = finding([stopped(STALE, run=7, evaluated_at=NOW - timedelta(days=9))])

    assert longer == finding([stopped(STALE)])


def test_the_alert_is_raised_by_source_and_told_of_the_run_that_should_have_evaluated_the_rule() -> None:
    planned = plan([stopped(STALE, scope=SECOND, run=9), stopped(WASTE, run=7), stopped(STALE, run=8)], {}, NOW)

    assert actions(planned) == [(1, [AlertAction.CREATED]), (2, [AlertAction.CREATED])]
    assert [one.origin for one in planned] == [origin_of(FIRST, 8), origin_of(SECOND, 9)]


def test_nothing_is_planned_while_the_same_rules_are_stopped() -> None:
    rules = [stopped(WASTE), stopped(STALE)]

    assert plan(rules, {FIRST: raised(*rules)}, LATER) == []


def test_another_rule_that_stops_is_told_by_the_same_alert() -> None:
    origin, alert = raised(stopped(STALE))

    planned = plan([stopped(WASTE), stopped(STALE)], {FIRST: (origin, alert)}, LATER)

    assert actions(planned) == [(1, [AlertAction.UPDATED])]
    assert planned[0].changes[0].after.id == alert.id


def test_an_alert_is_resolved_where_no_rule_is_stopped_and_told_of_the_run_that_changed_it_last() -> None:
    planned = plan([], {SECOND: raised(stopped(STALE, scope=SECOND, run=9))}, LATER)

    assert actions(planned) == [(2, [AlertAction.RESOLVED])]
    assert planned[0].origin == origin_of(SECOND, 9)
    assert planned[0].changes[0].after.resolved_at == LATER


@pytest.mark.parametrize("status", [AlertStatus.RESOLVED, AlertStatus.SUPPRESSED])
def test_an_alert_that_is_not_open_stays_as_it_is_where_no_rule_is_stopped(status: AlertStatus) -> None:
    origin, alert = raised(stopped(STALE))

    assert plan([], {FIRST: (origin, replace(alert, status=status))}, LATER) == []


def test_a_resolved_alert_comes_back_under_its_id() -> None:
    origin, alert = raised(stopped(STALE))
    resolved = replace(alert, status=AlertStatus.RESOLVED, resolved_at=NOW)

    (planned,) = plan([stopped(STALE)], {FIRST: (origin, resolved)}, LATER)

    (change,) = planned.changes
    assert (change.action, change.after.id, change.after.status) == (
        AlertAction.REOPENED,
        alert.id,
        AlertStatus.ACTIVE,
    )


def test_sources_are_planned_for_in_order_and_one_by_one() -> None:
    planned = plan([stopped(STALE)], {SECOND: raised(stopped(STALE, scope=SECOND))}, LATER)

    assert actions(planned) == [(1, [AlertAction.CREATED]), (2, [AlertAction.RESOLVED])]


def test_a_rule_that_no_sync_feeds_is_not_watched() -> None:
    watched = {kind for kind, _ in FEEDING}

    assert watched.isdisjoint({KIND, AlertType.TENANT_UNREACHABLE})
    assert watched >= {STALE, WASTE, GAP, AlertType.PSA_COMPANY_UNLINKED}
