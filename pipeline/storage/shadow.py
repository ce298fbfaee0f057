"""A candidate's own space: copies of the tables a branch writes, holding one source's rows.

A schema of its own that is found first while the candidate works and is dropped with everything in it afterwards.
Nothing the candidate writes can reach the live rows, and no relay reads its outbox.
"""

from __future__ import annotations

from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection

from pipeline.domain.runs import Scope
from pipeline.observability.queries import timed
from pipeline.storage.bulk import driver
from pipeline.storage.database import LIVE
from pipeline.storage.tables import SHADOWED

PREFIX = "shadow_"
WITH_HISTORY = frozenset({"alert_history", "outbox"})
"""Tables a candidate appends to without reading what is in them: they start empty."""


def shadow_name(run_id: UUID) -> str:
    """The space of the run's candidate."""
    return f"{PREFIX}{run_id.hex}"


def create_shadow(connection: Connection, scope: Scope, run_id: UUID) -> None:
    """Makes the space as the live rows of the source are now; a space left over from an earlier try is replaced."""
    space = sql.Identifier(shadow_name(run_id))
    live = sql.Identifier(LIVE)
    statements: list[sql.Composable] = [
        sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(space),
        sql.SQL("CREATE SCHEMA {}").format(space),
    ]
    for table in SHADOWED:
        name = sql.Identifier(table.name)
        statements.append(sql.SQL("CREATE TABLE {0}.{2} (LIKE {1}.{2} INCLUDING ALL)").format(space, live, name))
        if table.name not in WITH_HISTORY:
            statements.append(
                sql.SQL("INSERT INTO {0}.{2} SELECT * FROM {1}.{2} WHERE source_id = {3}").format(
                    space, live, name, sql.Literal(scope.source_id)
                )
            )
    with timed("create shadow"), driver(connection).cursor() as cursor:
        cursor.execute(sql.SQL("; ").join(statements))


def drop_shadow(connection: Connection, run_id: UUID) -> None:
    with timed("drop shadow"), driver(connection).cursor() as cursor:
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(shadow_name(run_id))))


def leftover_shadows(connection: Connection) -> list[UUID]:
    """Runs whose space still stands though they are no longer running."""
    with timed("select"), driver(connection).cursor() as cursor:
        cursor.execute(
            "SELECT substr(n.nspname, 8)::uuid FROM pg_namespace n"
            " WHERE n.nspname ~ '^shadow_[0-9a-f]{32}$' AND NOT EXISTS ("
            "       SELECT 1 FROM runs r WHERE r.state = 'running' AND r.id = substr(n.nspname, 8)::uuid)"
        )
        return [row[0] for row in cursor.fetchall() if isinstance(row[0], UUID)]
