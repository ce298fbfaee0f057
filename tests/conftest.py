"""What every layer of tests stands on: real servers, a fresh database per test, a simulated Microsoft Graph."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
import structlog
from psycopg import sql
from sqlalchemy.engine import make_url

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from pipeline.embedded import ServerUrls, servers_for, temporary_state_folder
from pipeline.observability.logging import NOISY, OWN
from pipeline.storage import schema
from pipeline.storage.database import Database
from tests.log_watch import LogWatch, watching_records


@pytest.fixture(scope="session", autouse=True)
def log_watch() -> Iterator[LogWatch]:
    """Sees every log record of the session, the system's own at debug level, as LOG_LEVEL=debug would write them."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    watch = LogWatch()
    with watching_records(watch):
        yield watch
    assert watch.take() == [], "what was logged after the last test"


@pytest.fixture(autouse=True)
def no_secret_is_logged(log_watch: LogWatch) -> Iterator[None]:
    """No secret, token or name of a person in any log record, of whatever test it is."""
    for name in OWN:
        logging.getLogger(name).setLevel(logging.DEBUG)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    yield
    assert log_watch.take() == []


@pytest.fixture(scope="session")
def servers() -> Iterator[ServerUrls]:
    """PostgreSQL, Redis and NATS: the ones the environment names, else embedded ones that end with the session."""
    with temporary_state_folder() as folder, servers_for(os.environ, folder, durable=False) as urls:
        yield urls


def _psycopg_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@pytest.fixture(scope="session")
def migrated_template(servers: ServerUrls) -> Iterator[str]:
    """The name of a database at the current schema; copying it is faster than migrating again."""
    assert servers.database_url
    name = f"mspbyte_template_{uuid4().hex[:12]}"
    with psycopg.connect(_psycopg_url(servers.database_url), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        database = Database(_with_database(servers.database_url, name))
        with database.begin() as connection:
            schema.upgrade(connection)
        database.close()
        yield name
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def database_url(servers: ServerUrls, migrated_template: str) -> Iterator[str]:
    """The URL of a database of this test's own, at the current schema and empty."""
    assert servers.database_url
    name = f"mspbyte_test_{uuid4().hex[:12]}"
    with psycopg.connect(_psycopg_url(servers.database_url), autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(migrated_template))
        )
        yield _with_database(servers.database_url, name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def redis_url(servers: ServerUrls) -> str:
    """A Redis database that is empty when the test begins."""
    assert servers.redis_url
    url = servers.redis_url.rstrip("/").removesuffix("/0") + "/9"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def simulator_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulators keep their certificates, so that they are made once."""
    return tmp_path_factory.mktemp("graphsim")


@pytest.fixture
def simulator(simulator_state: Path) -> Iterator[RunningSimulator]:
    """Five generated tenants of 60 users, served over HTTPS by a thread of this process."""
    with RunningSimulator(SimulatorConfig(tenants=5, users=60), simulator_state) as running:
        yield running
