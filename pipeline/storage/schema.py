"""Bringing a database to the current schema, and saying whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from pipeline.storage.tables import metadata

MIGRATION_LOCK = 0x6D737062
"""Advisory lock: two deployments at once migrate one after the other."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for this package's revisions."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    found.attributes["connection"] = connection
    return found


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Runs the revisions that are missing, all in the connection's transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    command.upgrade(config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    command.downgrade(config(connection), revision)


def current(connection: Connection) -> str | None:
    """The database's revision, ``None`` before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision this code needs."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    if found is None:
        raise RuntimeError("the package holds no revisions")
    return found


def differences(connection: Connection) -> list[object]:
    """Where the database and the tables disagree; empty when they agree."""
    return list(
        compare_metadata(MigrationContext.configure(connection, opts={"compare_server_default": True}), metadata)
    )
