"""A rule that has stopped is an alert of its tenant, and gone when it runs again: ``watch_rules`` on real rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.domain.capture import Resource
from pipeline.errors import ProviderRejectedError
from pipeline.observability.queries import counting
from pipeline.stages.rule_watch import watch_rules
from pipeline.storage.coverage import alone
from tests.tenants import LEGACY, NEW
from tests.world import CUT, PILOT, SECURITY_DEFAULTS, STRENGTH, TRUSTED_LOCATIONS, World, a_world

pytestmark = pytest.mark.servers
KIND = "rule_stopped_running"
DAYS = timedelta(days=3)
"""Longer than twice any interval."""


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A tenant whose rules have all just been evaluated."""
    with a_world(database_url, NEW, posture=PILOT) as found:
        found.sync()
        yield found


def watch(world: World, later: timedelta = timedelta(), *, ran: bool = True) -> int:
    """How many alerts changed; the last run of each source has only just ended, unless none did."""
    moment = world.time + later
    if ran:
        world.rows(
            "UPDATE runs SET finished_at = :moment WHERE id IN"
            " (SELECT DISTINCT ON (source_id) id FROM runs ORDER BY source_id, created_at DESC) RETURNING 1",
            moment=moment,
        )
    return watch_rules(world.database, moment)


def make_old(world: World, *rules: str, skipped_because: str = "", never: bool = False) -> None:
    """Rules of the tenant that were due all the time and last evaluated three days ago, or never."""
    world.rows(
        "UPDATE rule_coverage SET first_attempted_at = first_attempted_at - CAST('3 days' AS interval),"
        "       evaluated_at = CASE WHEN NOT :never THEN evaluated_at - CAST('3 days' AS interval) END,"
        "       skipped_because = :because, skipped = :because"
        " WHERE source_id = :source AND alert_type = ANY(:rules) RETURNING alert_type",
        source=world.scope.source_id,
        rules=list(rules),
        because=skipped_because,
        never=never,
    )


def alerts(world: World) -> list[tuple[object, ...]]:
    """(tenant id, status, the rules it names) of every alert on stopped rules, by tenant."""
    return world.rows(
        "SELECT tenant_id, status, evidence -> 'rules' FROM alerts WHERE alert_type = :kind ORDER BY tenant_id",
        kind=KIND,
    )


def of(world: World, status: str, *rules: str) -> tuple[object, ...]:
    return world.scope.tenant_id, status, list(rules)


def message(world: World) -> object:
    ((found,),) = world.rows("SELECT message FROM alerts WHERE alert_type = :kind", kind=KIND)
    return found


def hide(world: World, how: str) -> None:
    """Makes the source one that is not read: ``refused_since`` or ``enabled`` is set."""
    world.rows(f"UPDATE data_sources SET {how} RETURNING id")  # noqa: S608 - a constant of the test


def test_each_tenant_with_stopped_rules_has_one_alert_that_names_them(world: World, database_url: str) -> None:
    with (
        a_world(database_url, NEW, posture=TRUSTED_LOCATIONS) as other,
        a_world(database_url, NEW, posture=STRENGTH) as third,
    ):
        other.sync()
        third.sync()
        make_old(world, "stale_user", "license_overuse")
        make_old(other, "mfa_not_enforced")

        assert watch(world) == 2

        assert alerts(world) == [
            of(world, "active", "license_overuse", "stale_user"),
            of(other, "active", "mfa_not_enforced"),
        ]


@pytest.mark.parametrize(
    ("rule", "minutes"),
    [("stale_user", 60), ("license_overuse", 1440), ("app_credential_expiring", 2880), ("ca_refers_to_deleted", 60)],
)
def test_a_rule_has_stopped_after_twice_the_shortest_interval_of_the_syncs_that_feed_it(
    world: World, rule: str, minutes: int
) -> None:
    world.rows("DELETE FROM rule_coverage WHERE alert_type <> :rule RETURNING 1", rule=rule)

    assert watch(world, timedelta(minutes=minutes)) == 0
    assert watch(world, timedelta(minutes=minutes, seconds=1)) == 1
    assert alerts(world) == [of(world, "active", rule)]


def test_the_interval_is_the_tenants_own(world: World) -> None:
    world.rows("UPDATE schedules SET interval_minutes = 5 WHERE sync_type = 'identities' RETURNING 1")

    assert watch(world, timedelta(minutes=10)) == 0
    assert watch(world, timedelta(minutes=11)) == 1


def test_a_second_look_changes_nothing_and_asks_four_things(world: World) -> None:
    with counting() as quiet:
        assert watch(world) == 0
    assert quiet.count == 5, "the run's end of this test, a lock, and three questions"
    make_old(world, "stale_user")
    assert watch(world) == 1
    before = world.rows("SELECT ctid::text, id FROM alerts ORDER BY id"), world.rows("SELECT count(*) FROM outbox")

    with counting() as again:
        assert watch(world, timedelta(minutes=1)) == 0

    assert again.count == 5
    assert before == (
        world.rows("SELECT ctid::text, id FROM alerts ORDER BY id"),
        world.rows("SELECT count(*) FROM outbox"),
    )


def test_the_alert_is_told_with_its_history_event_and_the_run_that_should_have_evaluated_it(world: World) -> None:
    ((run_id, trace_id),) = world.rows("SELECT id, trace_id FROM runs")
    make_old(world, "stale_user")
    assert watch(world) == 1

    assert world.rows(
        "SELECT h.from_status, h.to_status, h.to_severity, h.reason, h.run_id, h.trace_id FROM alert_history h"
        " JOIN alerts a ON a.id = h.alert_id WHERE a.alert_type = :kind",
        kind=KIND,
    ) == [(None, "active", "medium", "found", run_id, trace_id)]
    assert world.rows(
        "SELECT subject, payload ->> 'status', payload ->> 'run', (payload ->> 'tenant')::int FROM outbox"
        " WHERE payload ->> 'alertType' = :kind",
        kind=KIND,
    ) == [("alert.created", "active", str(run_id), world.scope.tenant_id)]
    assert message(world) == (
        "1 rule has not been evaluated for twice the interval: stale_user, for no run came to it."
    )


def test_the_alert_is_resolved_when_the_rules_are_evaluated_again_and_is_the_same_one_the_next_time(
    world: World,
) -> None:
    make_old(world, "stale_user", "policy_gap")
    watch(world)
    world.sync()

    assert watch(world) == 1
    assert alerts(world) == [of(world, "resolved", "policy_gap", "stale_user")]

    make_old(world, "policy_gap")
    assert watch(world) == 1
    assert alerts(world) == [of(world, "active", "policy_gap")]
    assert world.rows(
        "SELECT subject FROM outbox WHERE payload ->> 'alertType' = :kind ORDER BY sequence", kind=KIND
    ) == [("alert.created",), ("alert.resolved",), ("alert.reopened",)]


def test_rules_that_stop_and_run_one_after_the_other_keep_the_one_alert_up_to_date(world: World) -> None:
    make_old(world, "stale_user")
    watch(world)
    make_old(world, "policy_gap")
    assert watch(world) == 1
    assert alerts(world) == [of(world, "active", "policy_gap", "stale_user")]
    world.outcomes[Resource.SIGN_IN_ACTIVITY] = CUT
    world.sync()

    assert watch(world) == 1

    assert alerts(world) == [of(world, "active", "stale_user")]
    assert "(signInActivity could not be read: the list ended early)" in str(message(world))


@pytest.mark.parametrize("how", ["refused_since = now()", "enabled = false"])
def test_a_source_that_is_not_read_raises_nothing(world: World, how: str) -> None:
    make_old(world, "stale_user")
    hide(world, how)

    assert watch(world) == 0
    assert alerts(world) == []


@pytest.mark.parametrize(
    ("how", "back"),
    [("refused_since = now()", "refused_since = NULL"), ("enabled = false", "enabled = true")],
)
def test_an_alert_of_a_source_that_is_not_read_any_more_stands_until_its_rules_are_seen_to_run(
    world: World, how: str, back: str
) -> None:
    make_old(world, "stale_user")
    watch(world)
    hide(world, how)
    assert watch(world) == 0
    assert alerts(world) == [of(world, "active", "stale_user")]

    hide(world, back)
    assert watch(world) == 0
    world.sync()
    assert watch(world) == 1
    assert alerts(world) == [of(world, "resolved", "stale_user")]


def test_an_acknowledged_alert_stays_so_while_the_rules_are_stopped_and_is_resolved_with_the_others(
    world: World,
) -> None:
    make_old(world, "stale_user")
    watch(world)
    world.rows("UPDATE alerts SET status = 'acknowledged' WHERE alert_type = :kind RETURNING 1", kind=KIND)

    assert watch(world) == 0
    assert alerts(world) == [of(world, "acknowledged", "stale_user")]
    world.sync()
    assert watch(world) == 1
    assert alerts(world) == [of(world, "resolved", "stale_user")]


@pytest.mark.parametrize(
    ("because", "never", "raised"),
    [
        ("branch", False, False),
        ("branch", True, False),
        ("licence", True, False),
        ("licence", False, False),
        ("doubt", True, False),
        ("input", True, True),
        ("input", False, True),
    ],
)
def test_why_a_rule_was_skipped_decides_whether_it_has_stopped(
    world: World, because: str, *, never: bool, raised: bool
) -> None:
    make_old(world, "stale_user", skipped_because=because, never=never)

    assert watch(world) == int(raised)
    assert alerts(world) == ([of(world, "active", "stale_user")] if raised else [])


def test_a_tenant_without_a_premium_licence_is_not_told_of_what_it_never_had(database_url: str) -> None:
    with a_world(database_url, NEW, posture=SECURITY_DEFAULTS) as world:
        world.sync()
        world.time += DAYS
        world.sync()

        assert watch(world) == 0
        assert ("licence",) in world.rows("SELECT DISTINCT skipped_because FROM rule_coverage")


def test_a_list_that_never_ends_stops_the_rules_that_need_it_and_no_others(database_url: str) -> None:
    with a_world(database_url, NEW, posture=PILOT) as world:
        world.outcomes[Resource.SKUS] = CUT
        world.sync()
        world.time += DAYS
        world.sync()

        assert watch(world) == 1

        ((_, status, rules),) = alerts(world)
        assert isinstance(rules, list)
        assert status == "active"
        assert "license_overuse" in rules
        assert "stale_user" not in rules
        assert world.rows("SELECT reasons FROM alerts WHERE alert_type = :kind", kind=KIND) == [(["never_evaluated"],)]


def test_rules_that_the_legacy_branch_does_not_know_have_not_stopped(database_url: str) -> None:
    with a_world(database_url, LEGACY, posture=PILOT) as world:
        world.sync()
        world.time += DAYS
        world.sync()

        assert watch(world) == 0
        assert ("branch",) in world.rows("SELECT DISTINCT skipped_because FROM rule_coverage")
        assert alerts(world) == []


def test_a_tenant_that_moves_from_legacy_is_not_told_of_rules_it_has_had_for_a_minute(database_url: str) -> None:
    with a_world(database_url, LEGACY) as world:
        world.sync()
        world.time += DAYS
        world.flags(NEW)
        world.sync()

        assert watch(world) == 0


def test_after_an_outage_the_runs_come_first(world: World) -> None:
    world.time += DAYS

    assert watch(world, ran=False) == 0, "no run has ended that should have come to a rule"
    world.sync()
    assert watch(world) == 0


def test_runs_that_fail_all_the_time_stop_the_rules(world: World) -> None:
    world.time += timedelta(minutes=61)
    world.error = ProviderRejectedError("The provider says no.", code="nonsense", status=400)
    world.sync()

    assert watch(world) == 1
    world.error = None
    world.sync()
    assert watch(world) == 1
    assert [status for _, status, _ in alerts(world)] == ["resolved"]


def test_of_two_beats_at_once_one_looks(world: World) -> None:
    make_old(world, "stale_user")
    with world.database.begin() as connection:
        assert alone(connection)

        assert watch(world) == 0
    assert watch(world) == 1
