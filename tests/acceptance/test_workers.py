"""Syncs through real prefork workers, a real Redis and beat."""

from __future__ import annotations

import pytest

from graphsim.serve import RunningSimulator
from tests.acceptance.conftest import Stack, eventually
from tests.tenants import COMPARED, LEGACY, NEW, add_simulated_tenant

pytestmark = [pytest.mark.servers, pytest.mark.workers]


def test_due_tenants_are_synced_by_beat_and_workers_on_every_branch(stack: Stack, simulator: RunningSimulator) -> None:
    for index, branch in enumerate((LEGACY, NEW, COMPARED)):
        add_simulated_tenant(stack.parts, simulator, index, branch)

    stack.start_worker("worker")
    stack.start_beat()

    eventually(lambda: stack.scalar("SELECT count(*) FROM runs WHERE state = 'succeeded'") == 3, about="three runs")
    assert stack.scalar("SELECT count(DISTINCT branch) FROM runs") == 3
    assert stack.scalar("SELECT count(*) FROM comparisons WHERE result = 'match'") == 1
    assert stack.scalar("SELECT count(DISTINCT tenant_id) FROM alerts") == 3


def test_a_stopped_worker_hands_its_work_to_another(stack: Stack, simulator: RunningSimulator) -> None:
    for index in range(4):
        add_simulated_tenant(stack.parts, simulator, index, NEW)
    stack.start_worker("first")
    stack.start_beat()
    eventually(lambda: stack.scalar("SELECT count(*) FROM run_steps WHERE state = 'running'") > 0, about="a step")

    stack.processes.end("first")
    stack.start_worker("second")

    eventually(lambda: stack.scalar("SELECT count(*) FROM runs WHERE state = 'succeeded'") == 4, about="four runs")
