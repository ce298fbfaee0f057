"""Triggers on real PostgreSQL: many requests become one run, at the right moment, and none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope, Trigger
from pipeline.stages.dispatch import FIRST, open_due_runs
from pipeline.storage import ledger
from pipeline.storage.database import Database
from pipeline.storage.ledger import Dispatch
from pipeline.storage.schedules import AT_ONCE, Debounce, advance, claim_due, request_sync
from tests.ledger_steps import NOW, SECOND, add_source, new_run

pytestmark = pytest.mark.servers
WEBHOOK = Debounce(quiet=timedelta(seconds=5), limit=timedelta(seconds=12))
IDENTITIES, POLICIES = SyncType.IDENTITIES, SyncType.POLICIES


@pytest.fixture
def scope(database: Database) -> Scope:
    """A source with nothing due by its schedule."""
    found = add_source(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE schedules SET next_due_at = :later"), {"later": NOW + timedelta(days=30)})
    return found


def ask(
    database: Database,
    scope: Scope,
    *kinds: SyncType,
    at: float = 0,
    trigger: Trigger = Trigger.WEBHOOK,
    compare: bool = False,
) -> None:
    """A request some seconds after ``NOW``."""
    debounce = AT_ONCE if trigger is Trigger.MANUAL else WEBHOOK
    with database.begin() as connection:
        request_sync(
            connection,
            scope,
            kinds or (IDENTITIES,),
            NOW + timedelta(seconds=at),
            trigger=trigger,
            debounce=debounce,
            compare=compare,
        )


def due_after(database: Database) -> float:
    """Seconds from ``NOW`` until the pending trigger is due."""
    with database.begin() as connection:
        due: datetime = connection.execute(text("SELECT due_at FROM pending_triggers")).scalar_one()
    return (due - NOW).total_seconds()


def opened(database: Database, at: float) -> Sequence[Dispatch]:
    return open_due_runs(database, NOW + timedelta(seconds=at), max_jobs=5)


def test_a_trigger_waits_for_the_quiet_period_after_the_last_and_no_longer_than_the_limit(
    database: Database, scope: Scope
) -> None:
    expected = {0: 5, 3: 8, 6: 11, 9: 12, 11.5: 12}

    for at, due in expected.items():
        ask(database, scope, at=at)
        assert due_after(database) == due

    assert opened(database, 11.9) == []
    assert len(opened(database, 12)) == 1
    assert opened(database, 60) == []


def test_triggers_within_the_window_become_one_run_of_all_they_asked_for(database: Database, scope: Scope) -> None:
    ask(database, scope, SyncType.GROUPS, IDENTITIES)
    ask(database, scope, POLICIES, IDENTITIES, at=1)
    ask(database, scope, POLICIES, at=2, compare=True)

    assert len(opened(database, 10)) == 1

    with database.begin() as connection:
        run = connection.execute(text("SELECT trigger, sync_types, compare FROM runs")).one()
        left = connection.execute(text("SELECT count(*) FROM pending_triggers")).scalar_one()
    assert (run.trigger, set(run.sync_types), run.compare) == ("webhook", {"groups", "identities", "policies"}, True)
    assert left == 0


def test_a_persons_request_starts_at_once_and_takes_a_waiting_trigger_with_it(database: Database, scope: Scope) -> None:
    ask(database, scope, POLICIES)
    ask(database, scope, IDENTITIES, at=1, trigger=Trigger.MANUAL)

    assert len(opened(database, 1)) == 1

    with database.begin() as connection:
        run = connection.execute(text("SELECT trigger, sync_types FROM runs")).one()
    assert (run.trigger, set(run.sync_types)) == ("manual", {"identities", "policies"})


def test_a_trigger_after_a_persons_request_does_not_hold_it_back(database: Database, scope: Scope) -> None:
    ask(database, scope, trigger=Trigger.MANUAL)
    ask(database, scope, at=1)

    assert len(opened(database, 1)) == 1


def test_a_request_during_a_run_becomes_the_next_run(database: Database, scope: Scope) -> None:
    ask(database, scope, trigger=Trigger.MANUAL)
    opened(database, 0)
    ask(database, scope, POLICIES, at=1, trigger=Trigger.MANUAL)

    assert opened(database, 2) == []
    with database.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'succeeded'"))
    assert len(opened(database, 3)) == 1


def test_a_request_naming_another_tenant_asks_for_nothing(database: Database, scope: Scope) -> None:
    ask(database, Scope(tenant_id=scope.tenant_id + 1, source_id=scope.source_id), trigger=Trigger.MANUAL)

    assert opened(database, 60) == []


@pytest.mark.parametrize(("kinds", "compare"), [((POLICIES,), False), ((IDENTITIES,), True)], ids=["types", "compare"])
def test_a_request_that_comes_while_its_source_is_claimed_is_not_lost(
    database: Database, scope: Scope, kinds: tuple[SyncType, ...], *, compare: bool
) -> None:
    ask(database, scope, IDENTITIES, trigger=Trigger.MANUAL)
    with database.begin() as connection:
        (claimed,) = claim_due(connection, NOW + SECOND, max_jobs=5, most=5)
        run = replace(new_run(scope), key=f"{scope.source_id}:{claimed.trigger.value}:{claimed.due_at.isoformat()}")
        assert ledger.open_run(connection, run, FIRST)
        ask(database, scope, *kinds, at=0.5, trigger=Trigger.MANUAL, compare=compare)
        advance(connection, [claimed], NOW + SECOND)

    with database.begin() as connection:
        left = connection.execute(text("SELECT sync_types, compare FROM pending_triggers")).one()
        connection.execute(text("UPDATE runs SET state = 'succeeded'"))
    assert set(left.sync_types) >= {kind.value for kind in kinds}
    assert left.compare is compare
    assert len(opened(database, 2)) == 1, "it is not taken for the run that was claimed before it"


def test_a_request_the_claimed_run_covers_becomes_part_of_it(database: Database, scope: Scope) -> None:
    ask(database, scope, IDENTITIES, POLICIES, trigger=Trigger.MANUAL)
    with database.begin() as connection:
        claimed = claim_due(connection, NOW + SECOND, max_jobs=5, most=5)
        ask(database, scope, POLICIES, at=0.5, trigger=Trigger.MANUAL)
        advance(connection, claimed, NOW + SECOND)

    assert opened(database, 60) == []


def test_a_request_whose_run_could_not_be_opened_stays_due(database: Database, scope: Scope) -> None:
    """As when another dispatcher opens a run between this one's look and its lock."""
    ask(database, scope, trigger=Trigger.MANUAL)
    run = replace(new_run(scope), key=f"{scope.source_id}:manual:{NOW.isoformat()}")
    with database.begin() as connection:
        assert ledger.open_run(connection, run, FIRST)
        connection.execute(text("UPDATE runs SET state = 'succeeded'"))

    assert opened(database, 1) == []

    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM pending_triggers")).scalar_one() == 1


@pytest.mark.parametrize(
    ("parts", "wait"),
    [
        ("{}", 5),
        ('{"main": {"linker": "batch"}}', 5),
        ('{"main": {"linker": "legacy"}}', 12),
        ('{"control": {"linker": "legacy"}, "candidate": {"linker": "batch"}}', 12),
    ],
    ids=["not routed yet", "reads changes", "reads everything", "compared"],
)
def test_what_is_read_whole_each_time_gathers_for_the_limit(
    database: Database, scope: Scope, parts: str, wait: float
) -> None:
    with database.begin() as connection:
        ledger.open_run(connection, new_run(scope), FIRST)
        connection.execute(text("UPDATE runs SET parts = CAST(:parts AS jsonb)"), {"parts": parts})
        one_that_reads_changes = replace(WEBHOOK, linkers=frozenset({"batch"}))
        request_sync(connection, scope, [IDENTITIES], NOW, trigger=Trigger.WEBHOOK, debounce=one_that_reads_changes)

    assert due_after(database) == wait
