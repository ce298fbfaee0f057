"""Rows that come a thousand at a time leave a connection usable, however their reading ends."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from pipeline.storage.bulk import ROWS_AT_A_TIME, fetched_rows
from pipeline.storage.database import Database

pytestmark = pytest.mark.servers
MANY = "SELECT n FROM generate_series(1, %(count)s) AS n"


class SoftLimitError(Exception):
    """What a worker raises in a step that takes too long."""


def interrupt(_row: object) -> None:
    raise SoftLimitError


def read_some(database: Database, kept: list[BaseException]) -> None:
    try:
        with database.begin() as connection, fetched_rows(connection, MANY, {"count": 10 * ROWS_AT_A_TIME}) as rows:
            interrupt(next(rows))
    except SoftLimitError as error:
        kept.append(error)  # with its traceback, which keeps what the frames hold


def test_a_reading_that_is_interrupted_is_rolled_back_and_does_not_wait_for_itself(database: Database) -> None:
    kept: list[BaseException] = []
    reader = threading.Thread(target=read_some, args=(database, kept), daemon=True)
    reader.start()
    reader.join(timeout=10)

    assert kept, "the rollback came through"
    with database.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_every_row_comes_once_in_its_order(database: Database) -> None:
    count = 2 * ROWS_AT_A_TIME + 1
    with database.begin() as connection, fetched_rows(connection, MANY, {"count": count}) as rows:
        assert [row[0] for row in rows] == list(range(1, count + 1))
