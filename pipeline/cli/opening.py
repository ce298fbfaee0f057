"""Opening what a command works on, with the sentences for what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import ProgrammingError

from pipeline.cli.environment import process_settings
from pipeline.errors import UserError
from pipeline.observability.logging import configure_logging
from pipeline.settings import Settings
from pipeline.storage.database import Database

NO_TABLES = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


def command_settings() -> Settings:
    """The settings, with the log set up; a command logs warnings only, unless LOG_LEVEL says otherwise."""
    settings = process_settings()
    quiet = (
        settings if "log_level" in settings.model_fields_set else settings.model_copy(update={"log_level": "warning"})
    )
    configure_logging(quiet)
    return settings


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
