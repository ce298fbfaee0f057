"""A tenant that fails rests and stops no other; a killed worker holds its work up for a while only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from pipeline.domain.runs import DataSource
from pipeline.errors import SettingError, TenantUnreachableError
from pipeline.providers.microsoft365.subscriptions import Microsoft365Subscriptions
from pipeline.stages.subscriptions import BEGIN_WITHIN, LEASE, Kept
from pipeline.storage.database import Database
from pipeline.storage.subscriptions import FIRST_PAUSE
from tests.subscribers import NOW, Tenants, tenants_in

pytestmark = pytest.mark.servers


@pytest.fixture
def world(database: Database) -> Tenants:
    return tenants_in(database)


@pytest.mark.parametrize(
    "trouble",
    [
        TenantUnreachableError("Microsoft refuses to sign the application in.", code="AADSTS700016"),
        SettingError("No key in SECRET_KEY decrypts this data source's credentials."),
        403,
        503,
        400,
    ],
)
def test_a_tenant_that_fails_rests_ever_longer_and_stops_no_other(world: Tenants, trouble: Exception | int) -> None:
    world.add(1)
    world.add(2)
    if isinstance(trouble, int):
        world.graph(1).refuse = trouble
    else:
        world.graph(1).unreachable = trouble

    assert world.keeper.keep(NOW) == Kept(done=2, failed=2)

    assert len(world.graph(2).held) == 2
    assert world.keeper.keep(NOW + FIRST_PAUSE * 0.8) == Kept(), "both resources rest"
    pauses = []
    now = NOW
    for _ in range(12):
        ((resting,), *_) = world.rows("next_attempt_at")
        assert isinstance(resting, datetime)
        pauses.append((resting - now).total_seconds())
        now = resting
        world.keeper.keep(now + timedelta(seconds=1000))
        now += timedelta(seconds=1000)
    assert pauses[0] < pauses[3] < pauses[6]
    assert max(pauses) < 7 * 3600
    (reason,) = {row for row in world.rows("last_error") if row != ("",)}
    assert str(reason[0]).endswith((".", ")", "again."))


def test_a_person_need_not_wait_and_what_works_again_is_forgiven(world: Tenants) -> None:
    world.add(1)
    world.graph(1).refuse = 503
    world.keeper.keep(NOW)
    world.graph(1).refuse = 0

    assert world.keeper.keep(NOW, pauses=False) == Kept(done=2)

    assert set(world.rows("failures, last_error, next_attempt_at")) == {(0, "", None)}


def test_a_tenant_that_refuses_its_syncs_is_not_asked_until_it_takes_us_back(world: Tenants) -> None:
    world.add(1)
    world.do("UPDATE data_sources SET refusals = 1")

    assert world.keeper.keep(NOW) == Kept()

    world.do("UPDATE data_sources SET refusals = 0")
    assert world.keeper.keep(NOW) == Kept(done=2)


def test_a_worker_that_was_killed_holds_its_work_up_for_the_lease_only(world: Tenants) -> None:
    world.add(1)

    def killed(_: DataSource) -> Microsoft365Subscriptions:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(world.keeper, open_subscriptions=killed).keep(NOW)

    assert world.keeper.keep(NOW + LEASE / 2) == Kept()
    assert world.keeper.keep(NOW + LEASE) == Kept(done=2)


def test_two_sources_of_one_directory_keep_a_subscription_each(world: Tenants) -> None:
    """The application is the same, and so is the address: one is added by the directory's id, one by its domain."""
    world.add(1)
    world.keeper.keep(NOW)
    world.add(2, external="contoso.onmicrosoft.com")
    shared = world.graphs["contoso.onmicrosoft.com"] = world.graph(1)

    world.keeper.keep(NOW)

    kept = world.rows("subscription_id")
    assert len(set(kept)) == 4
    assert {row[0] for row in kept} == set(shared.held)


def test_what_an_attempt_without_an_answer_left_is_ended_also_beside_another_source(world: Tenants) -> None:
    world.add(1)
    world.keeper.keep(NOW)
    world.add(2, external="contoso.onmicrosoft.com")
    shared = world.graphs["contoso.onmicrosoft.com"] = world.graph(1)
    shared.lose_answers = True
    world.keeper.keep(NOW)
    shared.lose_answers = False

    world.keeper.keep(NOW, pauses=False)

    assert {row[0] for row in world.rows("subscription_id")} == set(shared.held)


def test_a_throttled_tenant_rests_as_long_as_it_asks_for(world: Tenants) -> None:
    world.add(1)
    world.graph(1).refuse, world.graph(1).retry_after = 429, 900
    assert world.keeper.keep(NOW) == Kept(failed=2)
    world.graph(1).refuse = 0

    assert world.keeper.keep(NOW + timedelta(seconds=899)) == Kept()

    assert world.keeper.keep(NOW + timedelta(seconds=930)) == Kept(done=2)


def test_a_tick_begins_no_tenant_after_its_time_and_leaves_the_rest_to_the_next(world: Tenants) -> None:
    for number in range(4):
        world.add(number)
    passed = count(step=BEGIN_WITHIN)

    kept = replace(world.keeper, clock=lambda: next(passed)).keep(NOW)

    assert kept == Kept(done=2, left=6), "the clock has moved beyond the time when the second is to begin"
    assert world.keeper.keep(NOW) == Kept(done=6), "what was left waits for nothing"
    assert [len(world.graph(number).held) for number in range(4)] == [2] * 4
