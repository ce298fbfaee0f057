"""The web process against real servers: ready or not, and why; its metrics; never a traceback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from pipeline.embedded import ServerUrls
from pipeline.settings import load_settings
from pipeline.storage.database import Database
from pipeline.web.app import create_app

pytestmark = pytest.mark.servers


@pytest.fixture
def environment(database_url: str, redis_url: str, servers: ServerUrls) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "NATS_URL": servers.nats_url}


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that is bound and does not listen, so that nobody else takes it and connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def get(environment: Mapping[str, str], path: str) -> httpx.Response:
    """The page as a client sees it."""

    async def ask() -> httpx.Response:
        app = create_app(load_settings(environment))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://web") as web,
        ):
            return await web.get(path)

    return asyncio.run(ask())


def statuses(answer: httpx.Response) -> dict[str, str]:
    return {check["name"]: check["status"] for check in answer.json()["checks"]}


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_it_is_ready_when_everything_answers(environment: dict[str, str], path: str) -> None:
    answer = get(environment, path)

    assert answer.status_code == 200, answer.text
    assert answer.json()["ready"] is True
    assert answer.json()["score"] == 100
    assert statuses(answer) == dict.fromkeys(("database", "schema", "redis", "nats"), "passed")


@pytest.mark.parametrize(
    ("variable", "scheme", "failed", "score"),
    [
        ("DATABASE_URL", "postgresql://user:secret@127.0.0.1:{}/x", {"database": "failed", "schema": "skipped"}, 66),
        ("REDIS_URL", "redis://:secret@127.0.0.1:{}/0", {"redis": "failed"}, 75),
        ("NATS_URL", "nats://user:secret@127.0.0.1:{}", {"nats": "failed"}, 75),
    ],
)
def test_a_server_that_is_down_is_named_with_its_fix_and_without_its_credentials(
    environment: dict[str, str], variable: str, scheme: str, failed: dict[str, str], score: int
) -> None:
    with closed_port() as port:
        begun = time.monotonic()
        answer = get({**environment, variable: scheme.format(port)}, "/health")
        seconds = time.monotonic() - begun

    assert answer.status_code == 503
    assert {name: status for name, status in statuses(answer).items() if status != "passed"} == failed
    assert answer.json()["score"] == score
    assert variable in next(check["fix"] for check in answer.json()["checks"] if check["name"] in failed)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert seconds < 6


def test_servers_that_take_connections_and_say_nothing_are_told_within_the_deadline(
    environment: dict[str, str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        silent = {
            "DATABASE_URL": f"postgresql://127.0.0.1:{port}/x",
            "REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "NATS_URL": f"nats://127.0.0.1:{port}",
        }
        begun = time.monotonic()
        answer = get(silent, "/health")
        seconds = time.monotonic() - begun

    assert answer.status_code == 503
    assert statuses(answer) == {"database": "failed", "schema": "skipped", "redis": "failed", "nats": "failed"}
    assert answer.json()["score"] == 0
    assert seconds < 6


def test_a_server_that_is_not_set_is_one_sentence(environment: dict[str, str]) -> None:
    del environment["NATS_URL"]

    answer = get(environment, "/health")

    found = next(check for check in answer.json()["checks"] if check["name"] == "nats")
    assert found["message"] == "NATS_URL is not set."
    assert found["fix"].startswith("Set it to your server's URL")


def test_what_listens_for_nats_must_speak_it(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            connection, _ = other.accept()
            with connection:
                connection.sendall(b"SSH-2.0-something\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        answer = get({**environment, "NATS_URL": f"nats://127.0.0.1:{other.getsockname()[1]}"}, "/health")
        thread.join()

    assert statuses(answer)["nats"] == "failed"


def test_a_schema_of_another_revision_is_not_ready(environment: dict[str, str], database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    answer = get(environment, "/health")

    assert answer.status_code == 503
    assert statuses(answer)["schema"] == "failed"
    assert "mspbyte db upgrade" in answer.text


def test_the_process_lives_whatever_else_does_not() -> None:
    answer = get({}, "/health/live")

    assert (answer.status_code, answer.json()) == (200, {"live": True})


def test_metrics_are_the_exporters(environment: dict[str, str]) -> None:
    answer = get(environment, "/metrics")

    assert answer.status_code == 200
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"mspbyte_pipeline_executions", "pipeline_queue_depth", "mspbyte_feature_flags"} <= names


def test_metrics_with_the_servers_down_say_so_and_keep_what_is_known(environment: dict[str, str]) -> None:
    with closed_port() as port:
        down = {"DATABASE_URL": f"postgresql://127.0.0.1:{port}/x", "REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        answer = get({**environment, **down}, "/metrics")

    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert (found["mspbyte_server_up", "postgresql"], found["mspbyte_server_up", "broker"]) == (0, 0)
    assert ("mspbyte_feature_flags", "new_pipeline") in found
    assert not [name for name, *_ in found if name.startswith("mspbyte_pipeline_executions")]


def test_metrics_without_a_database_setting_are_one_sentence() -> None:
    answer = get({"REDIS_URL": "redis://127.0.0.1:1/0"}, "/metrics")

    assert answer.status_code == 503
    assert answer.text.startswith("DATABASE_URL is not set.")


SERVE = "from pipeline.settings import load_settings; from pipeline.web.server import serve_web; \
serve_web(load_settings(), '127.0.0.1', 0)"


def test_the_process_prints_its_address_and_ends_in_order_on_sigterm(environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as web:
        assert web.stdout
        url = web.stdout.readline().split()[-1]
        answer = httpx.get(url, timeout=10)
        nothing = httpx.get(url.replace("health", "nothing"), timeout=10)
        web.terminate()
        status = web.wait(10)
        assert web.stderr
        said = web.stderr.read()

    assert (answer.status_code, nothing.status_code, status) == (200, 404, 0)
    assert "Traceback" not in said
