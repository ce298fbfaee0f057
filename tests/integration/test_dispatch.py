"""Dispatch on real PostgreSQL: what is due becomes one run, fairly, whoever else dispatches at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from pipeline.domain.providers import SYNC_TYPES, Provider
from pipeline.domain.runs import Scope
from pipeline.stages.dispatch import open_due_runs
from pipeline.storage import tenants
from pipeline.storage.database import Database
from pipeline.storage.schedules import JITTER, DueSource, claim_due
from tests.ledger_steps import NOW, SECOND, add_source, together

pytestmark = pytest.mark.servers
DISPATCHERS = 3


def add_sources(database: Database, name: str, count: int) -> list[Scope]:
    """More sources of one tenant, each due a second after the one before it."""
    scopes = [add_source(database, name)]
    with database.begin() as connection:
        tenant = tenants.find_tenant(connection, name)
        for number in range(1, count):
            source = tenants.NewSource(
                provider="microsoft365", external_tenant_id=f"{name} {number}", client_id="c", credentials=b""
            )
            scopes.append(tenants.add_source(connection, tenant, source, NOW + number * SECOND))
    return scopes


def due(database: Database, *, max_jobs: int = 5, most: int = 200) -> Sequence[DueSource]:
    with database.begin() as connection:
        return claim_due(connection, NOW + timedelta(minutes=1), max_jobs=max_jobs, most=most)


def execute(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def number(database: Database, statement: str) -> int:
    with database.begin() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def test_a_due_source_becomes_one_run_of_everything_due_and_is_then_not_due(database: Database) -> None:
    scope = add_source(database)
    execute(database, "UPDATE schedules SET next_due_at = next_due_at + interval '1 day' WHERE sync_type = 'roles'")

    (opened,) = open_due_runs(database, NOW, max_jobs=5)
    execute(database, "UPDATE runs SET state = 'succeeded'")

    assert [(stage.value, queue) for stage, queue in opened.steps] == [("route", "router")]
    with database.begin() as connection:
        run = connection.execute(text("SELECT source_id, trigger, sync_types FROM runs")).one()
    assert (run.source_id, run.trigger) == (scope.source_id, "schedule")
    assert set(run.sync_types) == {"identities", "policies", "groups", "licenses", "applications", "organization"}
    assert open_due_runs(database, NOW, max_jobs=5) == []
    assert number(database, "SELECT count(*) FROM outbox WHERE subject LIKE 'microsoft-365.sync.%'") == 6


def test_a_source_with_a_run_under_way_waits_for_its_end(database: Database) -> None:
    add_source(database)
    open_due_runs(database, NOW, max_jobs=5)
    tomorrow = NOW + timedelta(days=2)

    assert open_due_runs(database, tomorrow, max_jobs=5) == []
    execute(database, "UPDATE runs SET state = 'failed'")
    assert len(open_due_runs(database, tomorrow, max_jobs=5)) == 1


def test_a_source_that_is_switched_off_is_not_due(database: Database) -> None:
    add_source(database)
    execute(database, "UPDATE data_sources SET enabled = false")

    assert due(database) == []


def test_dispatchers_at_the_same_moment_open_each_due_source_once(database: Database) -> None:
    sources = 12
    for count in range(sources):
        add_source(database, f"tenant {count}")
    moment = NOW
    for _ in range(10):
        opened = together(*(partial(open_due_runs, database, moment, max_jobs=5) for _ in range(DISPATCHERS)))

        runs = [dispatch.run_id for dispatches in opened for dispatch in dispatches]
        assert len(runs) == len(set(runs))
        # One that met a locked row leaves it to the other; whatever is left is opened a second later.
        open_due_runs(database, moment, max_jobs=5)
        assert number(database, "SELECT count(*) FROM runs WHERE state = 'running'") == sources
        assert number(database, "SELECT count(DISTINCT source_id) FROM runs WHERE state = 'running'") == sources
        execute(database, "UPDATE runs SET state = 'succeeded'")
        moment += timedelta(days=3)


def test_two_open_transactions_claim_different_sources(database: Database) -> None:
    expected = {add_source(database, f"tenant {count}").source_id for count in range(6)}

    with database.begin() as first, database.begin() as second:
        second.execute(text("SET LOCAL lock_timeout = '5s'"))  # a claim that waits is a failure
        mine = {found.scope.source_id for found in claim_due(first, NOW, max_jobs=5, most=3)}
        others = {found.scope.source_id for found in claim_due(second, NOW, max_jobs=5, most=9)}

    assert len(mine) == 3
    assert mine | others == expected
    assert not mine & others


def test_one_source_of_every_tenant_comes_before_the_second_of_any(database: Database) -> None:
    big = add_sources(database, "big", 4)
    small = add_source(database, "small")
    with database.begin() as connection:
        connection.execute(
            text("UPDATE schedules SET next_due_at = next_due_at + interval '30 seconds' WHERE source_id = :small"),
            {"small": small.source_id},
        )

    claimed = [found.scope.source_id for found in due(database, most=3)]

    assert claimed == [big[0].source_id, small.source_id, big[1].source_id]


@pytest.mark.parametrize(
    ("limit", "active", "expected"), [(5, 0, 5), (5, 3, 2), (5, 5, 0), (1, 0, 1), (9, 0, 7), (9, 2, 5)]
)
def test_a_tenant_has_no_more_runs_at_once_than_its_limit(
    database: Database, limit: int, active: int, expected: int
) -> None:
    scopes = add_sources(database, "big", 7)
    first = [scope.source_id for scope in scopes[:active]]
    opened = open_due_runs(database, NOW + timedelta(minutes=1), max_jobs=9, only=first)
    assert len(opened) == active

    assert len(due(database, max_jobs=limit)) == expected


def test_a_tenants_own_limit_wins(database: Database) -> None:
    add_sources(database, "big", 7)
    execute(database, "UPDATE tenants SET max_concurrent_jobs = 2")

    assert len(due(database, max_jobs=5)) == 2


def test_the_next_sync_is_an_interval_and_a_little_jitter_away(database: Database) -> None:
    for count in range(20):
        add_source(database, f"tenant {count}")
    open_due_runs(database, NOW, max_jobs=5)

    with database.begin() as connection:
        rows = connection.execute(text("SELECT sync_type, interval_minutes, next_due_at FROM schedules")).all()

    assert {row.sync_type: row.interval_minutes for row in rows} == {
        "identities": 30,
        "policies": 360,
        "groups": 720,
        "licenses": 720,
        "roles": 1440,
        "applications": 1440,
        "organization": 1440,
    }
    shares = [(row.next_due_at - NOW) / timedelta(minutes=row.interval_minutes) for row in rows]
    assert all(1 <= share <= 1 + JITTER for share in shares)
    assert len(set(shares)) > len(shares) / 2, "tenants drift apart"
    assert len(rows) == 20 * len(SYNC_TYPES[Provider.MICROSOFT365])
