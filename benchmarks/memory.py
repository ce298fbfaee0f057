"""How much memory a process needs that syncs a tenant of 100,000 users, read over HTTPS from a simulator of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.grounds import Grounds, fresh_database
from benchmarks.rows import Goal, Measure, Row
from graphsim.simulator import SimulatorConfig, start
from pipeline import wiring
from pipeline.cli.local.processes import mspbyte_command
from pipeline.domain.flags import Flag
from pipeline.settings import load_settings
from pipeline.storage import flags, tenants

USERS = 100_000
NAME = "benchmark"
TENANTS = {0: "well kept", 4: "1.7 alerts a user"}
"""Numbers of simulated tenants and what each is like."""

GOAL = Goal(measure=Measure.MEDIAN, at_most=500)
MEGABYTE = 1024 * (1 if sys.platform == "linux" else 1024)
"""The unit of a process's greatest memory is a KiB on Linux and a byte on macOS."""


def measure(grounds: Grounds) -> Iterator[Row]:
    """A row a tenant: the greatest resident memory of ``mspbyte sync --local``, which does every stage itself."""
    config = SimulatorConfig(seed="benchmark", tenants=max(TENANTS) + 1, users=USERS)
    with TemporaryDirectory(prefix="mspbyte-bench-") as folder, _serving(config, Path(folder)) as served:
        for index, likeness in TENANTS.items():
            with fresh_database(grounds.database_url) as url:
                environment = {**grounds.environment, **served, "DATABASE_URL": url}
                _add(environment, config, index)
                peak = _peak_megabytes(environment)
            yield Row(
                name="memory of a first sync",
                size=f"{USERS:,} users, {likeness}",
                median=peak,
                unit="MB",
                goal=GOAL,
            )


@contextmanager
def _serving(config: SimulatorConfig, folder: Path) -> Iterator[Mapping[str, str]]:
    """The settings that point at a simulator in a process of its own."""
    options = {"tenants": config.tenants, "users": USERS, "seed": config.seed, "port": 0, "state-dir": folder}
    command = mspbyte_command("graphsim", "serve", *(f"--{name}={value}" for name, value in options.items()))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            if process.stdout is None or not process.stdout.readline():
                raise ChildProcessError("the simulator did not start")
            address = (folder / "graphsim.url").read_text().strip()
            ca = str(folder / "tls" / "ca.pem")
            yield {"GRAPH_BASE_URL": address, "GRAPH_AUTHORITY": address, "GRAPH_CA_FILE": ca}
        finally:
            process.terminate()


def _add(environment: Mapping[str, str], config: SimulatorConfig, index: int) -> None:
    """The simulated tenant, on the new branch."""
    known = start(config).credentials(index)
    parts = wiring.build(load_settings(environment))
    try:
        with parts.database.begin() as connection:
            tenant = tenants.add_tenant(connection, NAME)
            source = tenants.NewSource(
                provider="microsoft365",
                external_tenant_id=known.tenant_id,
                client_id=known.client_id,
                credentials=wiring.vault(parts.settings).seal(known.client_secret),
            )
            tenants.add_source(connection, tenant, source, wiring.now())
            on = {Flag.NEW_PIPELINE: True}
            flags.store_overrides(connection, tenant.id, on, author="benchmark", reason="the branch measured")
    finally:
        parts.close()


def _peak_megabytes(environment: Mapping[str, str]) -> float:
    """Of the process and not of its siblings: the kernel tells it to whoever waits for it."""
    command = mspbyte_command("sync", NAME, "--local", "--json")
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ChildProcessError(f"the measured sync ended with {process.returncode}")
    return used.ru_maxrss / MEGABYTE
