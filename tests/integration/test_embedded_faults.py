"""What goes wrong around the embedded servers: dead parents, stale files, two starters, broken servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from pipeline.embedded import EmbeddedServers, running_servers, servers_for, temporary_state_folder
from pipeline.embedded.leftovers import PROGRAMS
from pipeline.errors import ServerUnavailableError

pytestmark = pytest.mark.servers

OWNER = """
import sys, pathlib
from pipeline.embedded import EmbeddedServers
servers = EmbeddedServers(pathlib.Path(sys.argv[1]), durable=False)
urls = servers.start()
print(servers.pid("postgres"), servers.pid("redis"), servers.pid("nats"), servers._lifeline._process.pid, flush=True)
sys.stdin.read()
servers.stop()
"""


@pytest.fixture(name="state_dir")
def _state_dir() -> Iterator[Path]:
    with temporary_state_folder() as folder:
        yield folder


class Owner:
    """Another process that runs the servers of a state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(state_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        *servers, watcher = (int(pid) for pid in self.process.stdout.readline().split())
        self.servers = [psutil.Process(pid) for pid in servers]
        self.watcher = psutil.Process(watcher)

    def end(self) -> None:
        self.process.communicate("")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(name="owner")
def _owner(state_dir: Path) -> Iterator[Owner]:
    owner = Owner(state_dir)
    yield owner
    owner.end()


def alive_in(state_dir: Path) -> list[str]:
    processes = psutil.process_iter(["name", "cwd"])
    return [
        process.info["name"]
        for process in processes
        if process.info["name"] in PROGRAMS and str(process.info["cwd"]).startswith(str(state_dir))
    ]


def ended(process: psutil.Process) -> bool:
    """Gone, or a zombie that only waits for a lazy init to collect it."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_kill_9_of_the_owner_ends_every_server_and_frees_the_folder(state_dir: Path, owner: Owner) -> None:
    owner.kill()
    deadline = time.monotonic() + 20
    while not all(ended(process) for process in [*owner.servers, owner.watcher]):
        assert time.monotonic() < deadline

    assert alive_in(state_dir) == []
    assert running_servers(state_dir) is None
    with EmbeddedServers(state_dir, durable=False) as urls:
        psycopg.connect(urls.database_url).close()


def test_a_start_right_after_the_owners_death_waits_for_its_servers(state_dir: Path, owner: Owner) -> None:
    owner.kill()
    with EmbeddedServers(state_dir, durable=False) as urls:
        psycopg.connect(urls.database_url).close()
        assert sorted(set(alive_in(state_dir))) == ["nats-server", "postgres", "redis-server"]


def test_servers_whose_watcher_was_killed_too_are_ended_by_the_next_start(state_dir: Path, owner: Owner) -> None:
    socket_folder = (state_dir / "socket").readlink()
    owner.watcher.kill()
    owner.kill()
    assert not any(ended(server) for server in owner.servers)

    with EmbeddedServers(state_dir, durable=False) as urls:
        psycopg.connect(urls.database_url).close()
        assert all(ended(server) for server in owner.servers)
        assert not socket_folder.exists()


def test_a_killed_watcher_does_not_disturb_the_servers(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir, postgres=False, nats=False)
    with servers:
        assert servers._lifeline
        servers._lifeline._process.kill()
        servers._lifeline._process.wait()
        servers.kill("redis")
        servers.restart("redis")
    assert alive_in(state_dir) == []


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(owner: Owner) -> None:
    group = os.getpgid(owner.process.pid)
    assert all(os.getpgid(server.pid) != group for server in [*owner.servers, owner.watcher])


def test_a_stale_pid_file_that_names_a_living_stranger_is_cleared(state_dir: Path) -> None:
    with EmbeddedServers(state_dir, redis=False, nats=False, durable=False):
        pass
    pid_file = (state_dir / "postgres").resolve() / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n\n\n\n\n")

    with EmbeddedServers(state_dir, redis=False, nats=False, durable=False) as urls:
        psycopg.connect(urls.database_url).close()


def test_a_killed_first_start_leaves_no_half_cluster(state_dir: Path) -> None:
    with EmbeddedServers(state_dir, redis=False, nats=False, durable=False):
        pass
    home = (state_dir / "postgres").resolve()
    (home / "data").rename(home / "data.new")
    (home / "data.new" / "PG_VERSION").unlink()

    with EmbeddedServers(state_dir, redis=False, nats=False, durable=False) as urls:
        psycopg.connect(urls.database_url).close()


def test_a_second_start_names_the_first_and_a_second_user_joins_it(state_dir: Path, owner: Owner) -> None:
    with pytest.raises(ServerUnavailableError, match=f"already run under process {owner.process.pid}"):
        EmbeddedServers(state_dir).start()

    with servers_for({"NATS_URL": "nats://elsewhere:4222"}, state_dir) as urls:
        assert urls.nats_url == "nats://elsewhere:4222"
        psycopg.connect(urls.database_url).close()
    assert not any(ended(server) for server in owner.servers)


def test_joining_servers_that_lack_one_says_which(state_dir: Path) -> None:
    with (
        EmbeddedServers(state_dir, postgres=False, nats=False),
        pytest.raises(ServerUnavailableError, match="DATABASE_URL and NATS_URL"),
        servers_for({}, state_dir),
    ):
        pass


def test_what_the_environment_does_not_name_is_started_and_stopped(state_dir: Path) -> None:
    environment = {"DATABASE_URL": "postgresql://elsewhere/x", "NATS_URL": "nats://elsewhere:4222"}
    with servers_for(environment, state_dir) as urls:
        assert urls.database_url == "postgresql://elsewhere/x"
        assert alive_in(state_dir) == ["redis-server"]
    assert alive_in(state_dir) == []


def test_a_server_that_cannot_start_is_named_with_its_log_and_the_others_are_ended(state_dir: Path) -> None:
    with EmbeddedServers(state_dir, durable=False):
        pass
    (state_dir / "postgres" / "data" / "global" / "pg_control").unlink()

    with pytest.raises(ServerUnavailableError) as caught:
        EmbeddedServers(state_dir, durable=False).start()
    sentence = str(caught.value)
    assert "embedded PostgreSQL ended with status" in sentence
    assert str(state_dir / "logs" / "postgres.log") in sentence
    assert "DATABASE_URL" in sentence
    assert "\n" not in sentence
    assert alive_in(state_dir) == []


def test_data_of_another_major_version_is_refused(state_dir: Path) -> None:
    data = state_dir / "postgres" / "data"
    with EmbeddedServers(state_dir, redis=False, nats=False, durable=False):
        pass
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerUnavailableError, match="was written by PostgreSQL 16"):
        EmbeddedServers(state_dir, redis=False, nats=False).start()


def test_a_forked_child_that_ends_leaves_the_servers_alone(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir, postgres=False, nats=False)
    with servers:
        child = os.fork()
        if child == 0:
            servers.stop()
            os._exit(0)
        os.waitpid(child, 0)
        assert alive_in(state_dir) == ["redis-server"]


def test_the_note_is_gone_after_stop(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir, postgres=False, nats=False)
    with servers as urls:
        assert json.loads((state_dir / "servers.json").read_text()) == urls.environment()
    assert not (state_dir / "servers.json").exists()
    servers.stop()


def test_a_stopped_server_is_ended_by_signal_after_the_grace_time(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.embedded.process.STOP_SECONDS", 0.2)
    servers = EmbeddedServers(state_dir, postgres=False, nats=False)
    servers.start()
    pid = servers.pid("redis")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # a frozen process answers no SIGINT
    begun = time.monotonic()
    servers.stop()
    assert time.monotonic() - begun < 5
    assert not psutil.pid_exists(pid)
