"""A simulator refuses settings that cannot be, in a sentence."""

from __future__ import annotations

import pytest

from graphsim.simulator import SimulatorConfig, start
from graphsim.trouble.fault_rules import read_rule


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (SimulatorConfig(tenants=0), "at least one tenant"),
        (SimulatorConfig(throttle_factor=0.0), "scaled by more than 0"),
        (SimulatorConfig(throttle_factor=1.5), "at most 1"),
        (SimulatorConfig(tenants=2, faults=(read_rule("kind=503,tenant=2"),)), "no tenant 2"),
        (SimulatorConfig(tenants=2, faults=(read_rule("kind=503,tenant=-1"),)), "no tenant -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(config: SimulatorConfig, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        start(config)


def test_a_million_users_cost_nothing_until_they_are_read() -> None:
    simulator = start(SimulatorConfig(tenants=100_000, users=1_000_000))

    state = simulator.state(99_999)

    assert state.user_count == 1_000_000
    assert len(simulator.states) == 1
    assert state.user(999_999)["id"] == state.tenant.user_id(999_999)
