"""Opening the database, with the sentences for what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import ProgrammingError

from pipeline.cli.connections.environment import command_settings
from pipeline.errors import UserError
from pipeline.storage.database import Database

NO_TABLES = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


@contextmanager
def opened_database() -> Iterator[Database]:
    """The database the settings name, closed in the end."""
    settings = command_settings()
    database = Database(settings.require("database_url"), slow_ms=settings.slow_query_threshold_ms)
    try:
        with explained_schema():
            yield database
    finally:
        database.close()


@contextmanager
def explained_schema() -> Iterator[None]:
    """Turns a missing table into what to do about it."""
    try:
        yield
    except (ProgrammingError, psycopg.errors.ProgrammingError) as error:
        cause = error.orig if isinstance(error, ProgrammingError) else error
        if not isinstance(cause, NO_TABLES):
            raise
        raise UserError(
            "The database at DATABASE_URL is not at this version's schema; run `mspbyte db upgrade`."
        ) from None
