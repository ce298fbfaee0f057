"""Eight processes on one tenant do not ask for more than Microsoft allows, and get most of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.throttling import MEASURED, PROCESSES, hammered
from graphsim.trouble.limits import Bucket

pytestmark = [pytest.mark.servers, pytest.mark.drill]

MINUTE = 60.0
SELDOM = 3
"""Of some sixty requests of a bucket of one a second, so many may come late to their turn and early for the next one
when eight processes and the simulator want the same two cores. The benchmark `throttling` counts them, and what was
left unused, against goals without allowance.
"""


def test_eight_processes_keep_a_tenant_s_limits_for_a_minute(redis_url: str, simulator_state: Path) -> None:
    """By the simulator's own meter, over every sliding window; and nobody waits for nothing."""
    use = hammered(redis_url, simulator_state, seconds=MINUTE)
    assert use.peak_share(Bucket.IDENTITY) <= 1
    assert use.peak_share(Bucket.REPORTS) <= 1
    assert sum(tally.throttled for tally in use.tallies) <= SELDOM
    assert {bucket: use.mean_share(bucket) for bucket in MEASURED if use.mean_share(bucket) < 0.5} == {}
    assert len(use.tallies) == PROCESSES
