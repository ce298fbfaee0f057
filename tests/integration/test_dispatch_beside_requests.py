"""Requests that name many sources, as a delivery of notifications does, and a dispatcher at work on the same ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope, Trigger
from pipeline.storage.database import Database
from pipeline.storage.schedules import AT_ONCE, advance, claim_due, request_syncs
from tests.ledger_steps import NOW, SECOND, add_source, wait_until_blocked

pytestmark = pytest.mark.servers


@pytest.fixture
def scopes(database: Database) -> list[Scope]:
    """Two sources, in the order of their ids; of the second a trigger is pending, and nothing is due by schedule."""
    found = [add_source(database, name) for name in ("acme", "contoso")]
    with database.begin() as connection:
        connection.execute(text("UPDATE schedules SET next_due_at = :later"), {"later": NOW + timedelta(days=30)})
        ask(connection, found[1])
    return found


def ask(connection: Connection, *scopes: Scope) -> None:
    wanted = dict.fromkeys(scopes, (SyncType.IDENTITIES,))
    request_syncs(connection, wanted, NOW, trigger=Trigger.WEBHOOK, debounce=AT_ONCE)


def asked(database: Database) -> set[int]:
    with database.begin() as connection:
        return set(connection.execute(text("SELECT source_id FROM pending_triggers")).scalars())


def test_a_first_request_for_a_source_does_not_wait_for_the_dispatcher_that_holds_it(
    database: Database, scopes: list[Scope]
) -> None:
    """Its foreign key asks for the source's row; to wait there, with other triggers locked, would close a ring."""
    with database.begin() as dispatcher, database.begin() as delivery:
        delivery.execute(text("SET LOCAL lock_timeout = '2s'"))
        dispatcher.execute(text("UPDATE schedules SET next_due_at = :now"), {"now": NOW})
        claimed = claim_due(dispatcher, NOW, max_jobs=5, most=5)
        assert {due.scope for due in claimed} == set(scopes)

        ask(delivery, scopes[0])


def test_a_source_somebody_asks_for_is_claimed_all_the_same(database: Database, scopes: list[Scope]) -> None:
    with database.begin() as delivery, database.begin() as dispatcher:
        dispatcher.execute(text("UPDATE schedules SET next_due_at = :now"), {"now": NOW})
        ask(delivery, scopes[0])

        assert {due.scope for due in claim_due(dispatcher, NOW, max_jobs=5, most=5)} == set(scopes)


def test_a_dispatcher_takes_triggers_in_the_order_in_which_requests_lock_them(
    database: Database, scopes: list[Scope]
) -> None:
    """The delivery holds the first source's trigger and comes to the second's while the dispatcher wants both.

    By a hash join, which many triggers make PostgreSQL choose, the dispatcher would come to the oldest row first.
    """
    with database.begin() as connection:
        ask(connection, scopes[0])

    def dispatch() -> None:
        with database.begin() as dispatcher:
            claimed = claim_due(dispatcher, NOW + SECOND, max_jobs=5, most=5)
            dispatcher.execute(text("SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off"))
            advance(dispatcher, claimed, NOW + SECOND)

    with ThreadPoolExecutor(1) as threads, database.begin() as delivery:
        delivery.execute(text("SET LOCAL lock_timeout = '5s'"))
        ask(delivery, scopes[0])
        dispatching = threads.submit(dispatch)
        wait_until_blocked(database)
        ask(delivery, scopes[1])
        delivery.commit()
        dispatching.result(timeout=30)

    assert asked(database) == set(), "the runs cover what was asked for"
