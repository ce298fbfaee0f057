"""The migrations build exactly the tables the code speaks of, up and down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Table, UniqueConstraint, inspect, text

from pipeline.storage import schema
from pipeline.storage.database import Database
from pipeline.storage.tables import metadata

pytestmark = pytest.mark.servers
OF_ALEMBIC = "alembic_version"


def objects(database: Database) -> set[tuple[str, str]]:
    """Everything of our own in the schema, by kind and name."""
    query = text(
        "SELECT 'relation ' || relkind::text, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with database.begin() as connection:
        return {(str(kind), str(name)) for kind, name in connection.execute(query)}


def test_the_migrated_database_is_at_the_head_and_equals_the_tables(database: Database) -> None:
    with database.begin() as connection:
        assert schema.current(connection) == schema.head()
        assert schema.differences(connection) == []


def test_a_difference_is_noticed(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("DROP INDEX alerts_by_source_status_type"))
        assert schema.differences(connection)


def named() -> Iterator[tuple[Table, str]]:
    for table in metadata.sorted_tables:
        for index in table.indexes:
            assert index.name, f"an index of {table.name} says nothing of what it serves"
            yield table, str(index.name)
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint) or (
                constraint is table.primary_key and table.primary_key.columns
            ):
                yield table, str(constraint.name)


def test_every_index_the_tables_name_stands_in_the_database(database: Database) -> None:
    with database.begin() as connection:
        rows = connection.execute(text("SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"))
        found = {(row.tablename, row.indexname) for row in rows}

    assert {(table.name, name) for table, name in named()} <= found


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("alerts", ["source_id", "status", "alert_type"]),
        ("alerts", ["tenant_id", "status", "severity"]),
        ("relationships", ["source_id", "type", "parent_id", "child_id"]),
        ("relationships", ["source_id", "type", "child_id"]),
    ],
)
def test_the_questions_the_system_asks_have_their_index(database: Database, table: str, columns: list[str]) -> None:
    inspector = inspect(database.engine)
    found: list[object] = [index["column_names"] for index in inspector.get_indexes(table)]
    found.append(inspector.get_pk_constraint(table)["constrained_columns"])

    assert columns in found


def test_down_to_nothing_and_up_again_gives_the_same_database(database: Database) -> None:
    before = objects(database)
    with database.begin() as connection:
        schema.downgrade(connection, "base")
    left = {name for kind, name in objects(database)}

    with database.begin() as connection:
        schema.upgrade(connection)

    assert not {name for name in left if not name.startswith(OF_ALEMBIC)}
    assert objects(database) == before
    with database.begin() as connection:
        assert schema.differences(connection) == []


def test_migrating_a_database_that_is_up_to_date_changes_nothing(database: Database) -> None:
    before = objects(database)

    with database.begin() as connection:
        schema.upgrade(connection)

    assert objects(database) == before
