"""Alerts over several runs of the new branch: what people did stays, and the history tells it all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graphsim.world import scenario
from pipeline.domain.capture import SyncType
from pipeline.domain.findings import AnalysisType
from tests.tenants import NEW
from tests.world import PILOT, World, a_world

pytestmark = pytest.mark.servers
STALE = "SELECT external_id FROM alerts WHERE alert_type = 'stale_user' AND status = ANY(:status) ORDER BY 1"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A tenant synced once, with stale users."""
    with a_world(database_url, NEW, posture=PILOT, users=120) as found:
        found.sync()
        assert stale(found, "active")
        yield found


def stale(world: World, *status: str) -> list[str]:
    """Users with a stale_user alert in one of the statuses."""
    return [str(row[0]) for row in world.rows(STALE, status=list(status))]


def sign_in(world: World, *users: str) -> None:
    for user in users:
        scenario.change_user(world.state, user, scenario.UserBody(signed_in=True))


def set_status(world: World, user: str, status: str) -> None:
    world.rows(
        "UPDATE alerts SET status = :status WHERE alert_type = 'stale_user' AND external_id = :user RETURNING id",
        status=status,
        user=user,
    )


def mark(world: World, user: str) -> tuple[object, ...]:
    (found,) = world.rows("SELECT tags, state FROM entities WHERE external_id = :user", user=user)
    return found


@pytest.mark.parametrize(
    ("status", "afterwards"),
    [("active", "resolved"), ("acknowledged", "resolved"), ("suppressed", "suppressed")],
)
def test_what_a_person_made_of_an_alert_stays_while_it_is_found_and_gives_way_when_it_is_gone(
    world: World, status: str, afterwards: str
) -> None:
    user = stale(world, "active")[0]
    set_status(world, user, status)

    world.sync()
    assert user in stale(world, status)
    sign_in(world, user)
    world.sync()

    assert user in stale(world, afterwards)


def test_a_user_who_signs_in_loses_the_tag_and_keeps_those_that_people_gave(world: World) -> None:
    user = stale(world, "active")[0]
    world.rows("UPDATE entities SET tags = tags || '{VIP}' WHERE external_id = :user RETURNING id", user=user)
    sign_in(world, user)

    world.sync()

    tags, _ = mark(world, user)
    assert isinstance(tags, list)
    assert "VIP" in tags
    assert "Stale" not in tags


def test_every_open_alert_shows_on_its_entity(world: World) -> None:
    tagged = {str(row[0]) for row in world.rows("SELECT external_id FROM entities WHERE 'Stale' = ANY(tags)")}
    without = world.rows(
        "SELECT count(*) FROM alerts a JOIN entities e ON e.id = a.entity_id"
        " WHERE a.status = 'active' AND e.state = 'normal'"
    )

    assert tagged == set(stale(world, "active"))
    assert without == [(0,)]


def test_the_history_of_an_alert_is_a_chain_from_nothing_to_what_it_is_now(world: World) -> None:
    user = stale(world, "active")[0]
    world.sync()
    sign_in(world, user)
    world.sync()
    del world.state.users[world.state.tenant.user_number(user)]  # type: ignore[arg-type]  # a user of the tenant
    world.sync()

    told = world.rows(
        "SELECT h.from_status, h.to_status, h.trace_id <> '' FROM alert_history h JOIN alerts a ON a.id = h.alert_id"
        " WHERE a.alert_type = 'stale_user' AND a.external_id = :user ORDER BY h.id",
        user=user,
    )
    assert told == [(None, "active", True), ("active", "resolved", True), ("resolved", "active", True)]
    broken = world.rows(
        "SELECT count(*) FROM (SELECT from_status, lag(to_status) OVER (PARTITION BY alert_id ORDER BY id) AS before"
        " FROM alert_history) AS chain WHERE from_status IS DISTINCT FROM before"
    )
    assert broken == [(0,)]


def test_each_change_of_an_alert_is_told_once(world: World) -> None:
    sign_in(world, *stale(world, "active"))
    world.sync()
    world.sync()

    events = world.rows("SELECT subject, count(*) FROM outbox WHERE subject LIKE 'alert.%' GROUP BY 1 ORDER BY 1")
    history = world.rows(
        "SELECT CASE WHEN from_status IS NULL THEN 'alert.created' WHEN to_status = 'resolved' THEN 'alert.resolved'"
        " WHEN from_status = 'resolved' THEN 'alert.reopened' ELSE 'alert.updated' END, count(*)"
        " FROM alert_history GROUP BY 1 ORDER BY 1"
    )
    assert events == history
    assert "alert.resolved" in {row[0] for row in events}


def test_a_sync_of_the_licences_touches_no_alert_of_another_kind(world: World) -> None:
    others = "SELECT ctid::text, id FROM alerts WHERE alert_type NOT LIKE 'license%' ORDER BY id"
    before = world.rows(others)
    sign_in(world, *stale(world, "active"))
    sku = world.state.tenant.posture.skus[0].id
    scenario.set_units(world.state, sku, scenario.Units(enabled=0))

    run_id = world.sync(SyncType.LICENSES)

    assert world.rows(others) == before
    detail = "SELECT detail->'completed' FROM run_steps WHERE run_id = :id AND stage = 'analyze'"
    assert world.rows(detail, id=run_id) == [([kind.value for kind in AnalysisType if kind in OF_LICENCES],)]
    overused = "SELECT external_id FROM alerts WHERE alert_type = 'license_overuse' AND status = 'active'"
    assert (sku,) in world.rows(overused)
    world.sync(SyncType.IDENTITIES)
    assert stale(world, "active") == []


OF_POLICIES = {
    AnalysisType.MFA,
    AnalysisType.POLICY,
    AnalysisType.REGISTRATION,
    AnalysisType.BASELINE,
    AnalysisType.PRIVILEGE,
    AnalysisType.POLICY_HYGIENE,
}
OF_ROLES = {*OF_POLICIES, AnalysisType.STALE}
OF_LICENCES = {AnalysisType.LICENSE, AnalysisType.BASELINE, AnalysisType.PRIVILEGE, AnalysisType.SUBSCRIPTION}


@pytest.mark.parametrize(
    ("kind", "completed"),
    [
        (SyncType.IDENTITIES, {*OF_ROLES, *OF_LICENCES, AnalysisType.LIFECYCLE}),
        (SyncType.POLICIES, OF_POLICIES),
        (SyncType.GROUPS, OF_ROLES),
        (SyncType.ROLES, OF_ROLES),
        (SyncType.LICENSES, OF_LICENCES),
        (SyncType.APPLICATIONS, {AnalysisType.APPLICATION}),
        (SyncType.ORGANIZATION, {AnalysisType.DIRECTORY_SYNC}),
    ],
)
def test_a_sync_of_one_kind_runs_what_it_can_have_changed(
    world: World, kind: SyncType, completed: set[AnalysisType]
) -> None:
    run_id = world.sync(kind)

    ((found,),) = world.rows(
        "SELECT detail->'completed' FROM run_steps WHERE run_id = :id AND stage = 'analyze'", id=run_id
    )
    assert isinstance(found, list)
    assert set(found) == completed
