"""``sync`` through a broker, and ``doctor``, over real servers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import redis

from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.embedded import ServerUrls
from pipeline.settings import load_settings
from pipeline.stages.dispatch import open_due_runs
from pipeline.stages.local import finish_here
from tests.tenants import NEW, add_simulated_tenant, environment_for
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

DOWN = "redis://127.0.0.1:1/0"


@pytest.fixture
def parts(simulator: RunningSimulator, database_url: str, redis_url: str) -> Iterator[wiring.Wiring]:
    """The system, with a contoso that is due for nothing by itself."""
    environment = environment_for(simulator, database_url=database_url, redis_url=redis_url)
    found = wiring.build(load_settings(environment))
    scope = add_simulated_tenant(found, simulator, 4, NEW, "contoso")
    finish_here(found.database, found.executor, _open(found, scope.source_id))
    yield found
    found.close()


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parts: wiring.Wiring, servers: ServerUrls) -> Program:
    settings = parts.settings
    assert settings.secret_key
    return program_in(
        monkeypatch,
        tmp_path,
        {
            "DATABASE_URL": settings.require("database_url"),
            "REDIS_URL": settings.require("redis_url"),
            "NATS_URL": servers.nats_url,
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "LOG_LEVEL": "warning",
        },
    )


def _open(parts: wiring.Wiring, source_id: int) -> UUID:
    (opened,) = open_due_runs(parts.database, wiring.now(), max_jobs=5, only=[source_id])
    return opened.run_id


class Workers:
    """Does in a thread what a worker does when the dispatcher's bell rings."""

    def __init__(self, parts: wiring.Wiring) -> None:
        self._parts = parts
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _work(self) -> None:
        while not self._over.wait(0.05):
            for opened in open_due_runs(self._parts.database, wiring.now(), max_jobs=5):
                finish_here(self._parts.database, self._parts.executor, opened.run_id)


def test_a_sync_is_a_row_and_a_ring(program: Program, parts: wiring.Wiring, redis_url: str) -> None:
    assert "Asked for identities" in program.done("sync", "contoso")
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("router") == 1
    assert len(open_due_runs(parts.database, wiring.now(), max_jobs=5)) == 1


def test_waiting_follows_the_run_to_its_end(program: Program, parts: wiring.Wiring) -> None:
    before = {run["id"] for run in program.json("runs", "list")}
    with Workers(parts):
        result = program.run("sync", "contoso", "--wait", "--only", "groups")
    assert result.exit_code == 0
    assert "contoso: link done in" in result.stderr
    (run,) = [run for run in program.json("runs", "list") if run["id"] not in before]
    assert run["id"] in result.stdout


def test_a_comparison_is_waited_for_and_shown(program: Program, parts: wiring.Wiring) -> None:
    with Workers(parts):
        (found,) = program.json("compare", "contoso", "--wait")
    assert (found["control"], found["candidate"]) == ("unified", "legacy")


def test_waiting_ends_when_nobody_takes_the_run(program: Program) -> None:
    result = program.run("sync", "contoso", "--wait", "--timeout", "1")
    assert result.exit_code == 1
    assert result.stderr.startswith("The run of contoso has not ended in time")


@pytest.mark.parametrize("waiting", [[], ["--wait"]], ids=["at once", "waiting"])
def test_a_broker_that_is_down_is_named_and_loses_no_request(
    program: Program, parts: wiring.Wiring, waiting: list[str]
) -> None:
    said = program.refused("sync", "contoso", *waiting, REDIS_URL=DOWN)
    assert said.startswith("No broker takes messages at REDIS_URL. Start it or correct REDIS_URL")
    assert len(open_due_runs(parts.database, wiring.now(), max_jobs=5)) == 1


def test_without_a_broker_the_variable_is_named(program: Program) -> None:
    assert program.refused("sync", "contoso", REDIS_URL="").startswith("REDIS_URL is not set.")


def test_an_interrupt_ends_quietly_with_130(program: Program, redis_url: str) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "sync", "contoso", "--wait"],
        env=dict(program.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with redis.Redis.from_url(redis_url) as client:
        assert client.blmove("router", "heard", 30, "LEFT", "RIGHT")
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=30) == ("", "")
    assert waiting.returncode == 130


def test_the_doctor_names_what_fails_with_its_fix(program: Program) -> None:
    result = program.run("doctor", "--json")
    found = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    passed = {name for name, check in found.items() if check["status"] == "ok"}
    assert passed == {"database", "schema", "secret key", "schedules", "events", "redis", "nats"}
    assert found["workers"] | {"fix": ""} == {
        "name": "workers",
        "status": "fail",
        "sentence": "No worker answers.",
        "fix": "",
    }
    assert "honcho start" in found["workers"]["fix"]


@pytest.mark.parametrize(
    ("variables", "failing"),
    [
        ({"DATABASE_URL": ""}, "database"),
        ({"DATABASE_URL": "postgresql://user:hidden@127.0.0.1:1/x"}, "database"),
        ({"REDIS_URL": ""}, "redis"),
        ({"REDIS_URL": "redis://:hidden@127.0.0.1:1/0"}, "redis"),
        ({"NATS_URL": "nats://user:hidden@127.0.0.1:1"}, "nats"),
        ({"SECRET_KEY": ""}, "secret key"),
        ({"SECRET_KEY": "hidden"}, "secret key"),
        ({"SECRET_KEY": "A" * 43 + "="}, "secret key"),
        ({"LOG_LEVEL": "loud"}, "settings"),
    ],
)
def test_the_doctor_finds_what_is_wrong(program: Program, variables: dict[str, str], failing: str) -> None:
    result = program.run("doctor", "--json", **variables)
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert (result.exit_code, checks[failing]["status"]) == (1, "fail")
    assert checks[failing]["fix"]
    assert "hidden" not in result.output


def test_the_doctor_reads_well(program: Program) -> None:
    printed = program.run("doctor", COLUMNS="80").stdout
    assert "→ Start the workers" in printed
    assert max(map(len, printed.splitlines())) <= 80
