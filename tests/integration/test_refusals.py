"""A tenant that refuses us for days: asked ever more rarely, one alert, and all is caught up once it lets us in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from pipeline.domain.capture import Resource, SyncType
from pipeline.domain.runs import Trigger
from pipeline.errors import ProviderRejectedError, TenantUnreachableError
from pipeline.stages.dispatch import open_due_runs
from pipeline.stages.local import finish_here, sync_here
from pipeline.storage.access import replace_credentials
from pipeline.storage.schedules import request_sync
from tests.tenants import NEW
from tests.world import CUT, World, a_world

pytestmark = pytest.mark.servers

REFUSED = TenantUnreachableError(
    "Microsoft refuses to sign the application in (AADSTS7000222): the client secret has expired; create a new one.",
    code="AADSTS7000222",
)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DAY = timedelta(days=1)
KINDS = frozenset(SyncType) - {SyncType.COMPANIES, SyncType.CONTRACTS}


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A tenant that was read whole a moment ago, on its ordinary schedule."""
    with a_world(database_url, NEW, users=10) as found:
        found.sync()
        with found.database.begin() as connection:
            connection.execute(
                text("UPDATE schedules SET next_due_at = :now + make_interval(mins => interval_minutes)"),
                {"now": found.time},
            )
        yield found


def due_times(world: World) -> dict[SyncType, datetime]:
    rows = world.rows("SELECT sync_type, next_due_at FROM schedules")
    return {SyncType(str(kind)): due for kind, due in rows if isinstance(due, datetime)}


def tick(world: World) -> int:
    """What beat and a worker do at the world's time; how many runs there were."""
    opened = open_due_runs(world.database, world.time, max_jobs=5)
    for one in opened:
        finish_here(world.database, world.executor, one.run_id)
    return len(opened)


def next_tick(world: World) -> timedelta:
    """Goes on to when something is due by the schedule and does it, a second late as beat is; how long that was."""
    before, due = world.time, min(due_times(world).values())
    world.time = due + SECOND
    assert tick(world) == 1
    return due - before


def refuse(world: World, times: int) -> None:
    world.error = REFUSED
    for _ in range(times):
        next_tick(world)


def is_refused(world: World) -> bool:
    return world.number("SELECT count(*) FROM data_sources WHERE refused_since IS NOT NULL") == 1


def test_each_refusal_doubles_the_wait_of_all_sync_types_up_to_six_hours(world: World) -> None:
    refuse(world, 1)

    for minutes in (15, 30, 60, 120, 240, 360, 360):
        assert min(due_times(world).values()) - world.time <= minutes * MINUTE
        assert 0.9 * minutes * MINUTE <= next_tick(world) <= minutes * MINUTE


def test_a_day_of_refusals_is_a_handful_of_runs_one_alert_and_one_event(world: World) -> None:
    began = world.time
    world.error = REFUSED
    runs = 0
    while min(due_times(world).values()) < began + DAY:
        next_tick(world)
        runs += 1

    assert 7 <= runs <= 11, "identities alone would be due 48 times"
    ((status, message),) = world.rows("SELECT status, message FROM alerts WHERE alert_type = 'tenant_unreachable'")
    assert status == "active"
    assert message == str(REFUSED)
    assert world.number("SELECT count(*) FROM outbox WHERE payload->>'alertType' = 'tenant_unreachable'") == 1
    ((refusals, since),) = world.rows("SELECT refusals, refused_since FROM data_sources")
    assert refusals == runs
    assert isinstance(since, datetime)
    assert since - began < timedelta(minutes=35), "the first refusal's time"


def test_a_person_is_not_held_back_and_a_notification_is(world: World) -> None:
    refuse(world, 3)
    world.time += MINUTE
    with world.database.begin() as connection:
        request_sync(connection, world.scope, [SyncType.POLICIES], world.time, trigger=Trigger.WEBHOOK)
    assert tick(world) == 0

    world.time += MINUTE
    with world.database.begin() as connection:
        request_sync(connection, world.scope, [SyncType.IDENTITIES], world.time)
    assert tick(world) == 1


def test_a_notification_that_was_held_back_is_heeded_once_the_tenant_lets_us_in(world: World) -> None:
    refuse(world, 1)
    with world.database.begin() as connection:
        request_sync(connection, world.scope, [SyncType.POLICIES], world.time, trigger=Trigger.WEBHOOK)

    world.error = None
    sync_here(world.database, world.executor, world.scope, sync_types=[SyncType.IDENTITIES])
    world.time += MINUTE
    assert tick(world) == 1

    assert world.number("SELECT count(*) FROM pending_triggers") == 0
    assert world.alerts("tenant_unreachable") == {"resolved": 1}


def test_the_next_try_by_schedule_notices_the_recovery_and_catches_everything_up(world: World) -> None:
    refuse(world, 5)
    world.error = None

    next_tick(world)
    assert not is_refused(world)
    assert world.alerts("tenant_unreachable") == {"resolved": 1}

    tick(world)
    read = world.rows(
        "SELECT DISTINCT unnest(sync_types) FROM runs WHERE state = 'succeeded' AND created_at >= :now", now=world.time
    )
    assert {SyncType(str(kind)) for (kind,) in read} == KINDS
    assert min(due_times(world).values()) > world.time


def test_after_a_recovery_the_next_refusal_begins_with_the_shortest_wait(world: World) -> None:
    refuse(world, 5)
    world.error = None
    next_tick(world)
    tick(world)

    refuse(world, 1)
    assert min(due_times(world).values()) - world.time <= 15 * MINUTE


def test_a_run_that_does_not_read_users_ends_no_time_of_refusals(world: World) -> None:
    refuse(world, 2)
    world.error = None
    sync_here(world.database, world.executor, world.scope, sync_types=[SyncType.LICENSES])
    assert is_refused(world)


def test_another_failure_is_no_refusal(world: World) -> None:
    world.error = ProviderRejectedError("Microsoft rejects the request", code="BadRequest", status=400)
    next_tick(world)
    assert not is_refused(world)


def test_new_credentials_are_tried_at_once_and_count_as_refused_until_they_are_taken(world: World) -> None:
    refuse(world, 6)
    world.time += MINUTE
    with world.database.begin() as connection:
        replace_credentials(connection, world.scope, b"sealed", world.time)
    assert set(due_times(world).values()) == {world.time}
    assert is_refused(world)

    world.error = None
    assert tick(world) == 1
    assert not is_refused(world)
    assert world.alerts("tenant_unreachable") == {"resolved": 1}


def test_wrong_new_credentials_begin_with_the_shortest_wait(world: World) -> None:
    refuse(world, 6)
    with world.database.begin() as connection:
        replace_credentials(connection, world.scope, b"sealed", world.time)
    world.time += MINUTE
    assert tick(world) == 1
    assert min(due_times(world).values()) - world.time <= 15 * MINUTE


def test_a_run_whose_users_could_not_be_read_does_not_end_a_time_of_refusals(world: World) -> None:
    """The groups could be; but a tenant is judged by the reading of its users."""
    world.error = REFUSED
    world.sync(SyncType.IDENTITIES)
    world.error = None
    world.outcomes = {Resource.USERS: CUT}

    world.sync(SyncType.IDENTITIES, SyncType.GROUPS)

    assert world.alerts("tenant_unreachable") == {"active": 1}
    assert is_refused(world)
