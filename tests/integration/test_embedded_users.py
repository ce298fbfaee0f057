"""Root and plain users: folders that PostgreSQL's account cannot enter, and a start without any privilege."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from pipeline.embedded import EmbeddedServers, placement
from pipeline.embedded.binaries import postgres_install
from pipeline.errors import ServerUnavailableError

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user"),
]

SCRIPT = """
import os, pathlib
import psycopg, redis
from pipeline.embedded import servers_for
state = pathlib.Path(os.environ["HOME"]) / ".local" / "state" / "mspbyte"
for attempt in range(2):
    with servers_for({}, state) as urls:
        with psycopg.connect(urls.database_url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS marks (mark int)")
            connection.execute("INSERT INTO marks VALUES (1)")
            count = connection.execute("SELECT count(*) FROM marks").fetchone()[0]
        redis.Redis.from_url(urls.redis_url).ping()
print(os.geteuid(), count, oct((state / "postgres").stat().st_mode & 0o777))
"""


@pytest.fixture(name="closed_dir")
def _closed_dir(tmp_path: Path) -> Iterator[Path]:
    """A state folder nobody but root can walk to, like one below /root; what it links to goes as well."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    yield closed / "state"
    link = closed / "state" / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve())


def test_a_state_folder_below_a_closed_home_works_for_root(closed_dir: Path) -> None:
    for _ in range(2):
        with EmbeddedServers(closed_dir, redis=False, nats=False, durable=False) as urls:
            psycopg.connect(urls.database_url).close()
    home = (closed_dir / "postgres").resolve()
    assert not home.is_relative_to(closed_dir)
    assert home.owner() == "nobody"
    assert home.stat().st_mode & 0o777 == 0o700


def test_deleting_the_state_folder_starts_afresh_although_data_lay_elsewhere(closed_dir: Path) -> None:
    with EmbeddedServers(closed_dir, redis=False, nats=False, durable=False):
        pass
    first = (closed_dir / "postgres").resolve()
    shutil.rmtree(first)
    with EmbeddedServers(closed_dir, redis=False, nats=False, durable=False) as urls:
        psycopg.connect(urls.database_url).close()
    assert (closed_dir / "postgres").resolve() != first


def test_binaries_in_a_closed_folder_are_copied_within_reach(closed_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = postgres_install().parent
    hidden = closed_dir.parent / package.name / "pginstall18"
    unneeded = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(postgres_install(), hidden, ignore=unneeded)
    shutil.copytree(package.with_suffix(".libs"), hidden.parent.with_suffix(".libs"))
    monkeypatch.setattr("pipeline.embedded.binaries.postgres_install", lambda: hidden)
    servers = EmbeddedServers(closed_dir, redis=False, nats=False, durable=False)
    with servers as urls:
        psycopg.connect(urls.database_url).close()
        program = Path(psutil.Process(servers.pid("postgres")).exe())
    assert not program.is_relative_to(closed_dir.parent)
    shutil.rmtree(program.parents[3])


def test_postgresql_runs_as_nobody_for_root(closed_dir: Path) -> None:
    servers = EmbeddedServers(closed_dir, redis=False, nats=False, durable=False)
    with servers:
        assert psutil.Process(servers.pid("postgres")).username() == "nobody"


def test_another_users_state_folder_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, pwd.getpwnam("daemon").pw_uid, -1)
    with pytest.raises(ServerUnavailableError, match="belongs to another user"):
        EmbeddedServers(state).start()
    assert list(state.iterdir()) == []


@pytest.fixture(name="plain_home")
def _plain_home() -> Iterator[Path]:
    daemon = pwd.getpwnam("daemon")
    home = Path(tempfile.mkdtemp(prefix="mspbyte-home-", dir="/tmp"))
    os.chown(home, daemon.pw_uid, daemon.pw_gid)
    # redis-py asks Pythons before 3.11.3 (Debian 12's among them) for a package that our own newer one need not have.
    (home / "async_timeout.py").write_text("from asyncio import timeout\n")
    yield home
    shutil.rmtree(home)


def run_as_daemon(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    daemon = pwd.getpwnam("daemon")
    return subprocess.run(
        [interpreter_for("daemon"), "-c", script],
        user=daemon.pw_uid, group=daemon.pw_gid, extra_groups=[], cwd=home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join([*python_path(), str(home)])},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def python_path() -> list[str]:
    project = Path(placement.__file__).parents[2]
    return [str(project), *(entry for entry in sys.path if entry.endswith("site-packages"))]


def interpreter_for(user: str) -> Path:
    """Our interpreter, or the system's of the same version when ours lies in a home folder the user cannot enter."""
    entry = pwd.getpwnam(user)
    account = placement.Account(name=user, uid=entry.pw_uid, gid=entry.pw_gid)
    if not all(placement.reachable(Path(folder), account) for folder in python_path()):
        pytest.skip(f"the project's packages lie where {user} cannot read them")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (Path(sys.executable), Path("/usr/bin", version), Path("/usr/local/bin", version)):
        if candidate.exists() and placement.reachable(candidate.resolve().parent, account):
            return candidate
    pytest.skip(f"no {version} that {user} can run")


def test_a_plain_user_starts_everything_in_its_own_home(plain_home: Path) -> None:
    done = run_as_daemon(SCRIPT, plain_home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(pwd.getpwnam("daemon").pw_uid), "2", "0o700"]


def test_a_folder_a_plain_user_cannot_write_is_one_sentence(plain_home: Path) -> None:
    plain_home.chmod(0o500)
    done = run_as_daemon(SCRIPT, plain_home)
    assert done.returncode != 0
    assert "cannot be used (Permission denied): name another one" in done.stderr
