"""Connections to PostgreSQL, and the space a piece of work writes to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from pipeline.errors import ServerUnavailableError, SettingError, TransientError
from pipeline.observability.queries import track

LIVE = "public"
"""The space whose alerts people act on."""


def sqlalchemy_url(url: str) -> URL:
    """The URL with the driver this project uses; raises ``SettingError`` when it is no PostgreSQL URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise SettingError("DATABASE_URL is not a PostgreSQL URL; use postgresql://user:password@host:5432/database.")
    return parsed.set(drivername="postgresql+psycopg")


IMPATIENT = {"tcp_user_timeout": 3_000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
"""For whoever is waited for: a server that vanished is noticed within some five seconds.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""


def bound_statements(connection: Connection, milliseconds: int) -> None:
    """Ends every statement of the transaction that takes longer, as one that waits for a lock does."""
    connection.execute(text("SELECT set_config('statement_timeout', :most, true)"), {"most": str(milliseconds)})


class Database:
    """One process's connections. Built after a fork, never before."""

    def __init__(self, url: str, *, slow_ms: float = float("inf"), pool_size: int = 4, impatient: bool = False) -> None:
        connect_args: dict[str, object] = {"connect_timeout": 5, "application_name": "mspbyte"}
        self.engine = create_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text must not carry customer data into a log
            connect_args=connect_args | (IMPATIENT if impatient else {}),
        )
        track(self.engine, slow_ms=slow_ms)

    @contextmanager
    def begin(self, space: str = LIVE) -> Iterator[Connection]:
        """A transaction in a space: committed when the block ends, rolled back when it raises.

        In a candidate's space its copies of the tables hide the live ones for the length of the transaction.
        Raises ``ServerUnavailableError`` when PostgreSQL cannot be reached or goes away.
        """
        try:
            with self.engine.begin() as connection:
                if space != LIVE:
                    connection.execute(
                        text("SELECT set_config('search_path', :path, true)"), {"path": f"{space}, {LIVE}"}
                    )
                yield connection
        except (DBAPIError, psycopg.Error) as error:
            if not _passing(error):
                raise
            raise unavailable(error) from error

    def close(self) -> None:
        self.engine.dispose()


STANDBY, IDLE_TOO_LONG = "25006", "25P03"
"""After a failover the old server only reads; and it ends a transaction in which nothing is asked for too long."""


def _passing(error: DBAPIError | psycopg.Error) -> bool:
    """True when the same may succeed later: the driver's operational errors, and two it counts among internal ones."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.OperationalError):
        return True
    return isinstance(cause, psycopg.Error) and cause.sqlstate in {STANDBY, IDLE_TOO_LONG}


def unavailable(error: DBAPIError | psycopg.Error) -> TransientError:
    """The error for a PostgreSQL that does not answer, or that asks to try the transaction again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error) and (cause.sqlstate or "").startswith("40"):
        return TransientError("PostgreSQL asked to repeat a transaction that met another one; it will be repeated.")
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return ServerUnavailableError(
        f"PostgreSQL does not answer at DATABASE_URL ({lines[0]}). Start the server or correct DATABASE_URL."
    )
