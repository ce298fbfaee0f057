"""The floor under a run: what any program has to do that reads these pages and leaves these rows.

It decodes every page into typed structs, copies the rows a run left into plain tables of the same columns and keys,
commits, and reads them back, with the cycle collector paused as in a step of the pipeline. It does not compress or
keep pages, hash, compare with what is stored, analyze, write history, events or a ledger, or maintain secondary
indexes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from psycopg import sql
from sqlalchemy import Connection, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.domain.capture import Page, Resource
from pipeline.providers.microsoft365 import decoding, organization
from pipeline.stages.memory import collector_paused
from pipeline.storage.bulk import copy_rows, driver
from pipeline.storage.database import Database
from pipeline.storage.tables import alerts, entities, findings, relationships

SPACE = "floor"
TABLES = (entities, relationships, findings, alerts)


class Decodes(Protocol):
    """A decoder of whatever type."""

    def decode(self, body: bytes, /) -> object: ...


DECODERS: Mapping[Resource, Decodes] = {
    Resource.USERS: decoding.USERS,
    Resource.REGISTRATION_DETAILS: decoding.REGISTRATION_DETAILS,
    Resource.GROUPS: decoding.GROUPS,
    Resource.GROUP_MEMBERS: decoding.MEMBERS,
    Resource.DIRECTORY_ROLES: decoding.ROLES,
    Resource.ROLE_MEMBERS: decoding.MEMBERS,
    Resource.POLICIES: decoding.POLICIES,
    Resource.NAMED_LOCATIONS: decoding.NAMED_LOCATIONS,
    Resource.AUTHENTICATION_STRENGTHS: decoding.STRENGTHS,
    Resource.SECURITY_DEFAULTS: decoding.SECURITY_DEFAULTS,
    Resource.SKUS: decoding.SKUS,
    Resource.ROLE_ASSIGNMENTS: decoding.ROLE_ASSIGNMENTS,
    Resource.ROLE_DEFINITIONS: decoding.ROLE_DEFINITIONS,
    Resource.DIRECTORY_SUBSCRIPTIONS: organization.SUBSCRIPTIONS,
    Resource.APPLICATIONS: organization.APPLICATIONS,
    Resource.ORGANIZATION: organization.ORGANIZATIONS,
}
"""The structs the provider's own adapter decodes to; nothing smaller holds what a run needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """The rows a run left in one table, ready for COPY."""

    table: Table
    rows: Sequence[tuple[object, ...]]


def rows_of(connection: Connection, table: Table) -> Written:
    """Every row of the table, documents as JSON text."""
    return Written(table=table, rows=_read(connection, table, space="public"))


def lay(connection: Connection) -> None:
    """Creates the plain tables: the columns, the primary key and what else is unique, no further index."""
    cursor = driver(connection)
    cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SPACE)))
    for table in TABLES:
        plain = sql.Identifier(SPACE, table.name)
        cursor.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(plain, sql.Identifier("public", table.name))
        )
        unique = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
        for kind, key in [("PRIMARY KEY", table.primary_key), *(("UNIQUE", constraint) for constraint in unique)]:
            columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in key.columns)
            cursor.execute(sql.SQL("ALTER TABLE {} ADD " + kind + " ({})").format(plain, columns))


def clear(connection: Connection) -> None:
    for table in TABLES:
        driver(connection).execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(SPACE, table.name)))


def work(database: Database, pages: Sequence[Page], written: Sequence[Written]) -> None:
    """The floor of a first sync: decode, COPY in one transaction, read back."""
    with collector_paused():
        decode(pages)
        _copy(database, written)
        read_back(database)


def load(database: Database, pages: Sequence[Page], written: Sequence[Written]) -> None:
    """The floor of a load: decode, and COPY in one transaction."""
    with collector_paused():
        decode(pages)
        _copy(database, written)


def work_unchanged(database: Database, pages: Sequence[Page]) -> None:
    """The floor of a sync that changes nothing: decode, read what is stored."""
    with collector_paused():
        decode(pages)
        read_back(database)


def _copy(database: Database, written: Sequence[Written]) -> None:
    with database.begin(SPACE) as connection:
        for part in written:
            copy_rows(connection, part.table.name, [column.name for column in part.table.columns], part.rows)


def decode(pages: Sequence[Page]) -> list[object]:
    return [DECODERS[page.resource].decode(page.body) for page in pages]


def read_back(database: Database) -> None:
    """Every row of every plain table, in one transaction."""
    with database.begin() as connection:
        for table in TABLES:
            _read(connection, table, space=SPACE)


def _read(connection: Connection, table: Table, *, space: str) -> list[tuple[object, ...]]:
    columns = [
        sql.SQL("{}::text").format(sql.Identifier(column.name))
        if isinstance(column.type, JSONB)
        else sql.Identifier(column.name)
        for column in table.columns
    ]
    statement = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), sql.Identifier(space, table.name))
    with driver(connection).cursor(binary=True) as cursor:
        return cursor.execute(statement).fetchall()
