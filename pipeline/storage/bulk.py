"""Many rows at once: COPY in and plain rows out, past SQLAlchemy, and rows as the parameter of one statement.

psycopg writes a list value by value and quotes each with a regular expression. One JSON document, or ids joined to an
array, cost a fraction of that.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import LiteralString, cast
from uuid import UUID, uuid4

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection

from pipeline.observability.queries import timed, timed_rows

ENCODER = msgspec.json.Encoder()


def json_rows(rows: Iterable[object]) -> bytearray:
    """Values, structs or dictionaries as one parameter for ``json_to_recordset``; field names become column names.

    Bytes, to be read by ``CAST(convert_from(…, 'UTF8') AS json)``: of a text the driver would make one more copy.
    """
    document = bytearray(b"[")
    for row in rows:
        ENCODER.encode_into(row, document, len(document))
        document += b","
    if len(document) > 1:
        document.pop()
    document += b"]"
    return document


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


def stage_rows(connection: Connection, rows: Iterable[object]) -> UUID:
    """The batch under which one COPY wrote the values or structs as documents into ``staged_rows``.

    For statements of many rows: a parameter would be held here, by the driver and by libpq, all at once and whole.
    The statement that uses them takes them away: ``DELETE FROM staged_rows WHERE batch = … RETURNING document``.
    """
    batch = uuid4()
    copy_rows(connection, "staged_rows", ("batch", "document"), ((batch, ENCODER.encode(row).decode()) for row in rows))
    return batch


ROWS_AT_A_TIME = 1000


@contextmanager
def fetched_rows(
    connection: Connection, statement: LiteralString, values: Mapping[str, object]
) -> Iterator[Iterator[tuple[object, ...]]]:
    """The rows of a query in the driver's binary form, which skips parsing text into values.

    They come a thousand at a time, so that a tenant's rows are never all here in two forms. Ask the connection for
    nothing else within the block. Whatever ends the block early ends the query too: the driver holds the connection's
    lock while rows are on their way, and a rollback would wait for it for ever.
    """
    with driver(connection).cursor() as cursor:
        rows = cursor.stream(statement, values, binary=True, size=ROWS_AT_A_TIME)
        with closing(cast("Generator[tuple[object, ...]]", rows)):  # psycopg names it an iterator
            yield timed_rows("select", rows)
