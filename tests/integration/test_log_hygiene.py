"""A whole sync at debug level, as a process of its own: by certificate, over several pages, and refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graphsim.serve import RunningSimulator
from graphsim.sign_in.assertions import load_certificate
from graphsim.simulator import SimulatorConfig
from pipeline import wiring
from pipeline.domain.credentials import ClientCertificate
from pipeline.settings import load_settings
from pipeline.storage.access import replace_credentials
from tests.certificates import make_certificate
from tests.log_watch import leaks_in
from tests.tenants import NEW, add_simulated_tenant, environment_for

pytestmark = pytest.mark.servers


@pytest.fixture
def large(simulator_state: Path) -> Iterator[RunningSimulator]:
    """One tenant whose users come in several pages."""
    with RunningSimulator(SimulatorConfig(tenants=1, users=1100), simulator_state) as running:
        yield running


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_sync_at_debug_level_logs_no_secret_token_or_person(
    large: RunningSimulator, database_url: str, form: str
) -> None:
    environment = environment_for(large, database_url=database_url, LOG_LEVEL="debug", LOG_FORMAT=form)
    made = make_certificate(begins=datetime.now(UTC) - timedelta(days=1))
    large.simulator.traffic.application(0).certificates.append(load_certificate(made.pem.decode()))
    parts = wiring.build(load_settings(environment))
    scope = add_simulated_tenant(parts, large, 0, NEW)
    certificate = ClientCertificate(private_key=made.key_pem().decode(), certificate=made.pem.decode())
    with parts.database.begin() as connection:
        sealed = wiring.vault(parts.settings).seal(certificate)
        replace_credentials(connection, scope, sealed, wiring.now())
    parts.close()

    first, granted = sync(environment)
    large.simulator.traffic.application(0).certificates.clear()
    second, refused = sync(environment)

    assert (first, second) == (0, 1), granted + refused
    for stage in ("load", "link", "analyze", "alert"):
        assert "stage_finished" in granted
        assert stage in granted
    assert "AADSTS700027" in refused
    for line in (granted + refused).splitlines():
        assert leaks_in(line) == []


def sync(environment: dict[str, str]) -> tuple[int, str]:
    """The status of `mspbyte sync` and all it logged."""
    command = [sys.executable, "-m", "pipeline.cli", "sync", "tenant-0", "--local"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stderr
