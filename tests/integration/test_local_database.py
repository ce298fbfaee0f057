"""What goes wrong between us and PostgreSQL, in the words of our own errors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from select import select
from threading import Barrier

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from pipeline.errors import ServerUnavailableError, SettingError, TransientError
from pipeline.storage.bulk import copy_rows, driver
from pipeline.storage.database import Database
from tests.ledger_steps import add_source

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("url", ["nonsense", "mysql://root:hunter2@host/db", "redis://:hunter2@host"])
def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingError, match="DATABASE_URL is not a PostgreSQL URL; use postgresql://") as caught:
        Database(url)

    assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named_with_what_to_do_and_without_its_password() -> None:
    database = Database("postgresql://user:hunter2@127.0.0.1:1/nowhere")

    with pytest.raises(ServerUnavailableError) as caught, database.begin():
        pass

    told = str(caught.value)
    assert told.startswith("PostgreSQL does not answer at DATABASE_URL (")
    assert told.endswith("Start the server or correct DATABASE_URL.")
    assert "hunter2" not in told
    assert "\n" not in told


def test_what_is_begun_is_rolled_back_when_it_raises(database: Database) -> None:
    def begin() -> None:
        with database.begin() as connection:
            connection.execute(text("INSERT INTO tenants (name) VALUES ('acme')"))
            raise LookupError

    with pytest.raises(LookupError):
        begin()

    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM tenants")).scalar_one() == 0


def test_the_text_of_a_database_error_holds_no_parameters(database: Database) -> None:
    add_source(database, "acme")
    insert = text("INSERT INTO tenants (name, max_concurrent_jobs) VALUES ('acme', CAST(:secret AS text)::int)")

    with pytest.raises(IntegrityError) as caught, database.begin() as connection:
        connection.execute(insert, {"secret": "20260301"})

    assert "20260301" not in str(caught.value)


def read_only(connection: Connection) -> None:
    """As after a failover, when the old server is a standby."""
    connection.execute(text("SET TRANSACTION READ ONLY"))


def idle_too_long(connection: Connection) -> None:
    """Returns once the server has hung up."""
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
    assert select([driver(connection).fileno()], [], [], 30)[0]


@pytest.mark.parametrize("befall", [read_only, idle_too_long])
@pytest.mark.parametrize("past_sqlalchemy", [False, True])
def test_what_ends_by_itself_is_to_be_repeated(
    database: Database, befall: Callable[[Connection], None], *, past_sqlalchemy: bool
) -> None:
    def write() -> None:
        with database.begin() as connection:
            befall(connection)
            if past_sqlalchemy:
                copy_rows(connection, "tenants", ("name",), [("acme",)])
            else:
                connection.execute(text("INSERT INTO tenants (name) VALUES ('acme')"))

    with pytest.raises(ServerUnavailableError):
        write()


def test_transactions_that_lock_each_other_out_are_to_be_repeated(database: Database) -> None:
    add_source(database, "acme")
    add_source(database, "other")
    lock = text("SELECT 1 FROM tenants WHERE name = :name FOR UPDATE")

    def locking(first: str, second: str) -> type[Exception] | None:
        """Takes one row, meets the other transaction, takes the other row; what came of it."""
        try:
            with database.begin() as connection:
                connection.execute(lock, {"name": first})
                met.wait(timeout=30)
                connection.execute(lock, {"name": second})
        except TransientError as error:
            return type(error)
        return None

    met = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        ends = [threads.submit(locking, *names) for names in (("acme", "other"), ("other", "acme"))]
        found = [end.result(timeout=60) for end in ends]

    assert sorted(found, key=str) == [TransientError, None], "no server is missing: the transaction is to be repeated"
