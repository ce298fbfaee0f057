"""Our image as a pytest-celery worker, on containers of Redis and PostgreSQL; skipped where no Docker engine answers.

The plugin's own fixtures are overridden by name, as its documentation has it: Redis alone as broker, no result backend
of the plugin's (Celery's settings keep results on Redis), and a worker container that runs what we ship.
"""

from __future__ import annotations

import gc
import subprocess
import time
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped] # it ships no type information
import pytest
from cryptography.fernet import Fernet
from pytest_celery import (  # type: ignore[import-untyped] # likewise
    CeleryBrokerCluster,
    CeleryWorkerContainer,
    RedisTestBroker,
)
from pytest_docker_tools import container, fetch, fxtr  # type: ignore[import-untyped] # likewise

from pipeline.errors import ServerUnavailableError
from pipeline.storage import schema
from pipeline.storage.database import Database

ROOT = Path(__file__).parents[2]
IMAGE = "mspbyte-pipeline:smoke"
DATABASE = "postgresql://mspbyte:mspbyte@{host}:{port}/mspbyte"
STARTS_WITHIN_SECONDS = 60.0

Environment = dict[str, str]


@cache
def refusal() -> str | None:
    """Why no container can be started here; asked once and only when a test wants one."""
    try:
        told = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"docker info cannot be asked ({type(error).__name__})"
    if told.returncode == 0:
        return None
    return f"docker info says: {(told.stderr.strip() or 'nothing').splitlines()[-1]}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: a fixture of the plugin would end in a traceback of Docker's client."""
    reason = refusal() if item.get_closest_marker("docker") else None
    if reason:
        pytest.skip(f"needs a Docker engine; {reason}")


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """The plugin's client, closed; what it leaves to the garbage collector is collected here, without a warning.

    Warnings are errors in this suite, and one raised as pytest ends would hide every result.
    """
    client = docker.from_env()
    yield client
    client.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def pipeline_image() -> str:
    """The image every process runs from; built by the command line, which alone reads the image's own ignore file."""
    command = ["docker", "build", "--quiet", "--file", "deploy/Dockerfile", "--tag", IMAGE, "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return IMAGE


@pytest.fixture
def celery_broker_cluster(celery_redis_broker: RedisTestBroker) -> Iterator[CeleryBrokerCluster]:
    cluster = CeleryBrokerCluster(celery_redis_broker)
    yield cluster
    cluster.teardown()


@pytest.fixture
def celery_backend_cluster() -> None:
    """None of the plugin's."""


postgres_image = fetch(repository="postgres:18-alpine")
postgres = container(
    image="{postgres_image.id}",
    environment={"POSTGRES_USER": "mspbyte", "POSTGRES_PASSWORD": "mspbyte", "POSTGRES_DB": "mspbyte"},
    network="{default_pytest_celery_network.name}",
    ports={"5432/tcp": None},
)


@pytest.fixture
def migrated_database(postgres: Any) -> Environment:  # noqa: ANN401 - Docker's own class
    """The URL of a database at the current schema, as containers see it."""
    database = Database(DATABASE.format(host="127.0.0.1", port=postgres.ports["5432/tcp"][0]), pool_size=1)
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            with database.begin() as connection:
                schema.upgrade(connection)
            break
        except ServerUnavailableError:
            if time.monotonic() > deadline:
                raise
    database.close()
    return {"DATABASE_URL": DATABASE.format(host=postgres.name, port=5432)}


class PipelineWorker(CeleryWorkerContainer):  # type: ignore[misc] # the plugin's class has no types
    """One prefork worker of ours, for every queue a smoke test uses."""

    @classmethod
    def command(cls, *args: str, **_: object) -> list[str]:
        worker = ["celery", "-A", "tasks.app", "worker", "-n", f"{cls.worker_name()}@%h", "-Q", cls.worker_queue()]
        return [*worker, "--pool", "prefork", "-c", "1", *args]

    @classmethod
    def worker_name(cls) -> str:
        return "smoke"

    @classmethod
    def worker_queue(cls) -> str:
        return "router"


@pytest.fixture
def default_worker_container_cls() -> type[PipelineWorker]:
    return PipelineWorker


@pytest.fixture
def default_worker_env(celery_worker_cluster_config: dict[str, Any], migrated_database: Environment) -> Environment:
    """What the Procfile's platform would set."""
    broker = celery_worker_cluster_config["celery_broker_cluster_config"]["urls"][0]
    return {**migrated_database, "REDIS_URL": broker, "SECRET_KEY": Fernet.generate_key().decode(), "LOG_LEVEL": "info"}


default_worker_container = container(
    image="{pipeline_image}",
    environment=fxtr("default_worker_env"),
    network="{default_pytest_celery_network.name}",
    wrapper_class=PipelineWorker,
    timeout=STARTS_WITHIN_SECONDS,
    command=fxtr("default_worker_command"),
)
