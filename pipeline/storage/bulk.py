"""Many rows at once: COPY in and plain rows out, past SQLAlchemy, and rows as the parameter of one statement.

psycopg writes a list value by value and quotes each with a regular expression. One JSON document, or ids joined to an
array, cost a fraction of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import LiteralString

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection

from pipeline.observability.queries import timed

ENCODER = msgspec.json.Encoder()


def json_rows(rows: Sequence[object]) -> str:
    """Values, structs or dictionaries as one parameter for ``json_to_recordset``; field names become column names."""
    return ENCODER.encode(rows).decode()


def array_of(names: Iterable[str]) -> str:
    """Ids and the values of enumerations as a PostgreSQL array; nothing in them may need quoting."""
    return "{" + ",".join(names) + "}"


def driver(connection: Connection) -> psycopg.Connection[tuple[object, ...]]:
    """psycopg's connection under SQLAlchemy's, in the same transaction."""
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise TypeError("the engine does not use psycopg")
    return found


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """How many rows one COPY wrote. A uuid may be given as its hexadecimal digits, a document as JSON text."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with timed("copy"), driver(connection).cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


def fetch_rows(
    connection: Connection, statement: LiteralString, values: Mapping[str, object]
) -> list[tuple[object, ...]]:
    """Every row of a query in the driver's binary form, which skips parsing text into values."""
    with timed("select"), driver(connection).cursor(binary=True) as cursor:
        return cursor.execute(statement, values).fetchall()
