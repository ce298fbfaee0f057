"""Eight processes on one tenant never ask for more than Microsoft allows, and get most of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.throttling import MEASURED, PROCESSES, hammered

pytestmark = [pytest.mark.servers, pytest.mark.drill]

MINUTE = 60.0


def test_eight_processes_keep_a_tenant_s_limits_for_a_minute(redis_url: str, simulator_state: Path) -> None:
    """By the simulator's own meter, over every sliding window."""
    use = hammered(redis_url, simulator_state, seconds=MINUTE)
    assert {bucket: use.peak_share(bucket) for bucket in MEASURED if use.peak_share(bucket) > 1} == {}
    assert {bucket: use.mean_share(bucket) for bucket in MEASURED if use.mean_share(bucket) < 0.8} == {}
    assert sum(tally.throttled for tally in use.tallies) == 0
    assert len(use.tallies) == PROCESSES
