"""Procfile, compose file, image, locks and make agree with Celery's settings and with each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import celeryconfig

ROOT = Path(celeryconfig.__file__).parent
PROCESSES = [
    "release", "web", "beat", "router", "worker-legacy", "worker-new", "worker-alerts", "worker-compare",
    "worker-maintenance", "relay", "exporter", "flower",
]  # fmt: skip
SERVERS = ["postgres", "redis", "nats"]


def procfile_commands() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def compose_services() -> dict[str, str]:
    """Each service's own lines; enough of YAML for the regular file we keep, which spares a dependency."""
    section = (ROOT / "docker-compose.yml").read_text().partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]
    parts = re.split(r"^  ([a-z-]+):\n", section, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def compose_commands() -> dict[str, str]:
    found = {name: re.search(r"^    command: (.*)$", text, re.MULTILINE) for name, text in compose_services().items()}
    return {name: match[1] for name, match in found.items() if match and name not in SERVERS}


def consumed_queues(commands: dict[str, str]) -> Counter[str]:
    lists = [match[1] for command in commands.values() if (match := re.search(r" -Q (\S+)", command))]
    return Counter(queue for names in lists for queue in names.split(","))


def test_both_platforms_run_the_same_processes() -> None:
    assert list(procfile_commands()) == PROCESSES
    assert [name for name in compose_services() if name not in SERVERS] == PROCESSES
    assert list(compose_commands()) == PROCESSES


@pytest.mark.parametrize("process", [name for name in PROCESSES if name not in ("release", "flower")])
def test_a_process_is_the_same_command_everywhere(process: str) -> None:
    wanted = compose_commands()[process]
    prefix = "exec env REMAP_SIGTERM=SIGQUIT " if " worker " in wanted else "exec "
    assert procfile_commands()[process] == prefix + wanted


@pytest.mark.parametrize("commands", [procfile_commands(), compose_commands()], ids=["Procfile", "compose"])
def test_each_queue_has_exactly_one_pool(commands: dict[str, str]) -> None:
    assert consumed_queues(commands) == Counter(celeryconfig.QUEUE_NAMES)


@pytest.mark.parametrize("commands", [procfile_commands(), compose_commands()], ids=["Procfile", "compose"])
def test_worker_names_are_unique_as_rabbitmq_needs_them(commands: dict[str, str]) -> None:
    names = [match[1] for command in commands.values() if (match := re.search(r" worker -n (\S+)", command))]
    assert len(names) == len(set(names)) == 6


def test_the_release_process_ends_on_platforms_and_stays_under_honcho_which_stops_all_with_the_first() -> None:
    release = procfile_commands()["release"]
    assert release.startswith("mspbyte db upgrade && ")
    assert 'if [ -n "$HONCHO_PROCESS_NAME" ]' in release


def test_compose_services_stop_gently_come_back_and_wait_for_migrations() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    shared = text.partition("\nservices:\n")[0]
    for line in (
        "REMAP_SIGTERM: SIGQUIT",
        "stop_grace_period: 30s",
        "restart: unless-stopped",
        "condition: service_completed_successfully",
    ):
        assert line in shared
    services = compose_services()
    assert all("<<: *pipeline" in services[name] for name in PROCESSES)
    assert all("healthcheck:" in services[name] for name in SERVERS)
    assert "--appendonly yes --appendfsync everysec --maxmemory-policy noeviction" in services["redis"]
    assert celeryconfig.worker_soft_shutdown_timeout < 30


def test_only_loopback_is_published() -> None:
    published = re.findall(r'- "(\S+:\d+)"', (ROOT / "docker-compose.yml").read_text())
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_docker_compose_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("no docker compose client")
    done = subprocess.run(
        [docker, "compose", "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_image_runs_as_a_user_of_its_own() -> None:
    last_stage = (ROOT / "deploy" / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", last_stage, re.MULTILINE)


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda path: path.name)
def test_locks_hold_names_versions_and_hashes_only(lock: Path) -> None:
    accepted = re.compile(r"(    --hash=sha256:[0-9a-f]{64}( \\)?|[a-z0-9._-]+==\S+( ; .*)? \\)")
    assert [line for line in lock.read_text().splitlines() if not accepted.fullmatch(line)] == []


def pinned(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return {line.split(" ")[0] for line in lines if not line.startswith(" ")}


def test_the_development_lock_holds_all_of_the_others() -> None:
    assert pinned("image.lock") < pinned("run.lock") < pinned("dev.lock")
    assert pinned("redis-binary.lock") < pinned("run.lock")


def environment_script(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a copied project with only ``path`` to find programs in."""
    (folder / "requirements").mkdir()
    for name in ("environment.sh", "run.lock", "dev.lock", "redis-binary.lock"):
        shutil.copy(ROOT / "requirements" / name, folder / "requirements" / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return subprocess.run(
        ["/bin/sh", "requirements/environment.sh", "run"],
        cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def tools(folder: Path, python: str | None) -> str:
    """A PATH with what the script calls, and a ``python3`` that answers as the given shell text does."""
    folder.mkdir()
    for name in ("cat", "cksum", "tr", "rm", "touch"):
        (folder / name).symlink_to(shutil.which(name) or "/bin/false")
    if python is not None:
        (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (folder / "python3").chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("python", [None, "exit 1"], ids=["no python", "an old python"])
def test_make_says_which_python_it_needs(tmp_path: Path, python: str | None) -> None:
    done = environment_script(tmp_path, tools(tmp_path / "bin", python))
    assert done.returncode == 2
    assert done.stderr.startswith("Python 3.11 or newer is needed and was not found: install it,")
    assert done.stdout == ""


def test_make_says_that_the_venv_module_is_missing(tmp_path: Path) -> None:
    done = environment_script(tmp_path, tools(tmp_path / "bin", 'case "$2" in *ensurepip*) exit 1;; esac'))
    assert done.returncode == 2
    assert done.stderr.startswith("python3 cannot make virtual environments: install its venv module")
