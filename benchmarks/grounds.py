"""Where benchmarks run: the environment's servers or embedded durable ones, and a database of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from cryptography.fernet import Fernet
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from pipeline import wiring
from pipeline.domain.flags import Flag
from pipeline.domain.runs import Scope
from pipeline.embedded import servers_for, temporary_state_folder
from pipeline.errors import ServerUnavailableError
from pipeline.settings import Settings, load_settings
from pipeline.storage import flags, schema, tables, tenants
from pipeline.storage.database import Database

KEPT = frozenset({"alembic_version"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """What a benchmark is given. ``environment`` is that of a process of the pipeline on these servers."""

    database_url: str
    redis_url: str
    environment: dict[str, str]

    @property
    def settings(self) -> Settings:
        return load_settings(self.environment)


def environment_on(database_url: str, redis_url: str) -> dict[str, str]:
    """The settings' defaults, logs of errors only."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": Fernet.generate_key().decode(),
        "LOG_LEVEL": "error",
    }


@contextmanager
def opened(environment: Mapping[str, str]) -> Iterator[Grounds]:
    """Servers as the environment names them, the rest embedded, durable and gone at the end."""
    with temporary_state_folder() as folder, servers_for(environment, folder, durable=True) as urls:
        if urls.database_url is None or urls.redis_url is None:
            raise ServerUnavailableError("The benchmarks need PostgreSQL and Redis; set DATABASE_URL and REDIS_URL.")
        yield Grounds(
            database_url=urls.database_url,
            redis_url=urls.redis_url,
            environment=environment_on(urls.database_url, urls.redis_url),
        )


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of a new database at the current schema; dropped at the end."""
    name = f"mspbyte_bench_{uuid4().hex[:12]}"
    with psycopg.connect(server_url.replace("+psycopg", "", 1), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
            database = Database(url)
            with database.begin() as connection:
                schema.upgrade(connection)
            database.close()
            yield url
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(database: Database) -> None:
    """Takes every row away, so that each repetition meets the same tables."""
    names = ", ".join(table.name for table in tables.metadata.sorted_tables if table.name not in KEPT)
    with database.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def add_new_branch_tenant(database: Database) -> Scope:
    """A tenant whose runs take the new branch."""
    with database.begin() as connection:
        tenant = tenants.add_tenant(connection, "benchmark")
        source = tenants.NewSource(
            provider="microsoft365", external_tenant_id="benchmark", client_id="", credentials=b""
        )
        scope = tenants.add_source(connection, tenant, source, wiring.now())
        on = {Flag.NEW_PIPELINE: True}
        flags.store_overrides(connection, tenant.id, on, author="benchmark", reason="the branch measured")
    return scope
