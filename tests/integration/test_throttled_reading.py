"""A tenant read while Microsoft's limits are enforced: with the limiter nothing is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.trouble.limits import Bucket
from pipeline.domain.capture import Page
from pipeline.domain.providers import Provider, resources_of
from pipeline.providers.microsoft365.auth import Credentials
from pipeline.providers.microsoft365.source import Microsoft365Source
from pipeline.providers.microsoft365.throttling.fallback import open_store
from pipeline.providers.microsoft365.throttling.store import PaceStore

pytestmark = pytest.mark.servers


@pytest.fixture
def throttling(simulator_state: Path) -> Iterator[RunningSimulator]:
    with RunningSimulator(SimulatorConfig(tenants=1, users=60, throttle=True), simulator_state) as running:
        yield running


def read(running: RunningSimulator, pace: PaceStore | None) -> list[Page]:
    known = running.credentials(0)
    source = Microsoft365Source(
        Credentials(tenant_id=known.tenant_id, client_id=known.client_id, credential=known.client_secret),
        base_url=running.base_url,
        authority=running.base_url,
        ca_path=running.ca_path,
        pace=pace,
        scheduled=True,
    )
    pages: list[Page] = []
    outcomes = source.read(resources_of(Provider.MICROSOFT365), pages.append)
    assert all(outcome.complete for outcome in outcomes.values())
    return pages


def throttled(running: RunningSimulator) -> dict[Bucket, int]:
    return {bucket: reading.throttled for bucket, reading in running.simulator.meter(0).items() if reading.throttled}


def test_a_reading_that_keeps_to_the_pace_meets_no_refusal(throttling: RunningSimulator, redis_url: str) -> None:
    read(throttling, open_store(redis_url))
    assert throttled(throttling) == {}


def test_without_the_pace_conditional_access_refuses(throttling: RunningSimulator) -> None:
    """The test above sees nothing else."""
    read(throttling, None)
    assert Bucket.CONDITIONAL_ACCESS in throttled(throttling)
