"""The whole embedded stack: starts, answers, keeps what it is given, survives kill -9 of each part."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import nats
import psycopg
import pytest
import redis
from nats.js.api import StreamConfig

from pipeline.embedded import EmbeddedServers, ServerName, ServerUrls, temporary_state_folder
from pipeline.embedded.postgres import socket_folder_of

pytestmark = pytest.mark.servers

SECOND_START_LIMIT_SECONDS = 5.0  # about 0.1 s on an idle machine; the goal of 1 s must not flake on a loaded one


@pytest.fixture(name="state_dir")
def _state_dir() -> Iterator[Path]:
    with temporary_state_folder() as folder:
        yield folder


def store_marks(urls: ServerUrls, mark: str) -> None:
    with psycopg.connect(urls.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS marks (mark text)")
        connection.execute("INSERT INTO marks VALUES (%s)", [mark])
    with redis.Redis.from_url(urls.redis_url) as client:
        client.rpush("marks", mark)
    asyncio.run(_publish(urls.nats_url, mark))


def stored_marks(urls: ServerUrls) -> tuple[list[str], list[str], list[str]]:
    """What PostgreSQL, Redis and JetStream hold, oldest first."""
    with psycopg.connect(urls.database_url) as connection:
        rows = [row[0] for row in connection.execute("SELECT mark FROM marks ORDER BY ctid")]
    with redis.Redis.from_url(urls.redis_url, decode_responses=True) as client:
        keys = client.lrange("marks", 0, -1)
    assert isinstance(keys, list)
    return rows, [str(key) for key in keys], asyncio.run(_messages(urls.nats_url))


async def _publish(url: str, mark: str) -> None:
    connection = await nats.connect(url)
    try:
        stream = connection.jetstream()
        await stream.add_stream(StreamConfig(name="MARKS", subjects=["marks"]))
        await stream.publish("marks", mark.encode())
    finally:
        await connection.close()


async def _messages(url: str) -> list[str]:
    connection = await nats.connect(url)
    try:
        stream = connection.jetstream()
        last = (await stream.stream_info("MARKS")).state.last_seq
        found = [await stream.get_msg("MARKS", number) for number in range(1, last + 1)]
        return [(message.data or b"").decode() for message in found]
    finally:
        await connection.close()


def test_what_is_stored_survives_stop_and_start(state_dir: Path) -> None:
    with EmbeddedServers(state_dir) as first:
        store_marks(first, "kept")

    begun = time.monotonic()
    with EmbeddedServers(state_dir) as second:
        took = time.monotonic() - begun
        assert stored_marks(second) == (["kept"], ["kept"], ["kept"])
    assert took < SECOND_START_LIMIT_SECONDS


def test_each_server_comes_back_at_its_address_after_kill_9(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir)
    with servers as urls:
        store_marks(urls, "before")
        names: tuple[ServerName, ...] = ("postgres", "redis", "nats")
        for name in names:
            if name == "redis":
                wait_for_redis_file(urls)
            killed = servers.pid(name)
            servers.kill(name)
            assert servers.pid(name) is None
            servers.restart(name)
            assert servers.pid(name) not in (None, killed)
        assert servers.urls == urls
        store_marks(urls, "after")
        assert stored_marks(urls) == (["before", "after"],) * 3


def wait_for_redis_file(urls: ServerUrls) -> None:
    """everysec may lose the last second; WAITAOF is newer than the oldest Redis we run on, so ask for the state."""
    deadline = time.monotonic() + 10
    with redis.Redis.from_url(urls.redis_url) as client:
        while client.info("persistence")["aof_pending_bio_fsync"]:
            assert time.monotonic() < deadline


def test_restart_of_a_running_server_ends_open_connections_at_once(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir, redis=False, nats=False, durable=False)
    with servers as urls, psycopg.connect(urls.database_url) as connection:
        connection.execute("SELECT 1")
        servers.restart("postgres")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        psycopg.connect(urls.database_url).close()


def test_only_wanted_servers_start(state_dir: Path) -> None:
    with EmbeddedServers(state_dir, postgres=False, nats=False) as urls:
        assert list(urls.environment()) == ["REDIS_URL"]


def test_settings_protect_data_unless_durability_is_waived(state_dir: Path) -> None:
    shown: dict[bool, tuple[str, ...]] = {}
    for durable in (True, False):
        with (
            EmbeddedServers(state_dir, nats=False, durable=durable) as urls,
            psycopg.connect(urls.database_url) as connection,
            redis.Redis.from_url(urls.redis_url, decode_responses=True) as client,
        ):
            rows = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "shared_buffers", "timezone")]
            held = client.config_get("append*")
            assert held["appendonly"] == "yes"
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            shown[durable] = (*(row[0] for row in rows if row), held["appendfsync"])
    assert shown == {True: ("on", "128MB", "UTC", "everysec"), False: ("off", "128MB", "UTC", "no")}


def test_strangers_get_in_nowhere(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir)
    with servers as urls:
        socket = socket_folder_of(servers._running["postgres"].launch)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert "CREATEROLE" not in repr(urls)
        assert "nats://" not in repr(urls)
        address = urls.redis_url.rpartition("@")[2]
        with redis.Redis.from_url(f"redis://{address}") as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        for secret in ("servers.json", "redis/redis.conf", "nats/nats.conf"):
            assert stat.S_IMODE((state_dir / secret).stat().st_mode) == 0o600
        commands = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
        assert urls.redis_url.split("@", maxsplit=1)[0].removeprefix("redis://:") not in commands


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try to connect as somebody else")
def test_the_account_that_runs_postgresql_for_root_cannot_connect(state_dir: Path) -> None:
    servers = EmbeddedServers(state_dir, redis=False, nats=False, durable=False)
    with servers:
        launch = servers._running["postgres"].launch
        assert launch.account is not None
        psql = Path(launch.command[0]).with_name("psql")
        refused = subprocess.run(
            [psql, "-h", socket_folder_of(launch), "-U", "mspbyte", "-c", "SELECT 1", "mspbyte"],
            user=launch.account.uid, group=launch.account.gid, extra_groups=[], cwd="/",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert refused.returncode != 0
    assert "Peer authentication failed" in refused.stderr
