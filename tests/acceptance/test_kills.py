"""kill -9 at random moments: every run ends, no alert is raised twice, none is missing."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from pipeline.domain.runs import Scope
from pipeline.stages.local import sync_here
from pipeline.storage.database import Database
from tests.acceptance.conftest import Stack, eventually
from tests.tenants import COMPARED, LEGACY, NEW, add_simulated_tenant

pytestmark = [pytest.mark.servers, pytest.mark.workers]

TENANTS = 50
BRANCHES = (LEGACY, NEW, NEW, COMPARED)
WORKERS = ("one", "two")

Alerts = dict[str, set[tuple[str, str, str, str]]]
"""Tenant name → (alert type, external id, subject, severity)."""


@pytest.fixture
def simulator(simulator_state: Path) -> Iterator[RunningSimulator]:
    """Fifty small tenants."""
    with RunningSimulator(SimulatorConfig(tenants=TENANTS, users=20), simulator_state) as running:
        yield running


@pytest.fixture
def undisturbed(simulator: RunningSimulator, stack: Stack) -> Alerts:
    """What the same tenants come to when nothing is killed: each synced in this process, then taken away again.

    Several at a time: a sync waits a second for its tenant's conditional access.
    """
    scopes = _add_tenants(stack, simulator)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(partial(sync_here, stack.parts.database, stack.parts.executor), scopes))
    found = _alerts(stack.parts.database)
    with stack.parts.database.begin() as connection:
        connection.execute(
            text(
                "TRUNCATE tenants, entities, relationships, source_inputs, findings, alerts, alert_history, outbox"
                " RESTART IDENTITY CASCADE"
            )
        )
    return found


def _add_tenants(stack: Stack, simulator: RunningSimulator) -> list[Scope]:
    return [
        add_simulated_tenant(stack.parts, simulator, index, BRANCHES[index % len(BRANCHES)], f"tenant-{index:02}")
        for index in range(TENANTS)
    ]


def _alerts(database: Database) -> Alerts:
    with database.begin() as connection:
        rows = connection.execute(
            text(
                "SELECT t.name, a.alert_type, a.external_id, a.subject, a.severity"
                "  FROM alerts a JOIN tenants t ON t.id = a.tenant_id WHERE a.status = 'active'"
            )
        ).all()
    found: Alerts = {}
    for name, *alert in rows:
        found.setdefault(name, set()).add((alert[0], alert[1], alert[2], alert[3]))
    return found


def _storm(stack: Stack, kills: int, seed: int) -> None:
    """Kills children and whole workers in turn at random moments; asks for new syncs when all runs have ended."""
    chance = random.Random(seed)  # noqa: S311 - repeatable moments, nothing secret
    pause = threading.Event()
    done = 0
    while done < kills:
        pause.wait(chance.uniform(0.02, 0.6))
        if stack.runs_under_way() == 0:
            with stack.parts.database.begin() as connection:
                connection.execute(text("UPDATE schedules SET next_due_at = now()"))
            eventually(lambda: stack.runs_under_way() > 0, about="a new run")
        victim = chance.choice(WORKERS)
        if chance.random() < 0.3:
            stack.kill_worker(victim)
            done += 1
        else:
            done += stack.kill_child(victim, chance.choice)


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.drill)], ids=lambda kills: f"{kills} kills")
def test_a_storm_of_kills_loses_no_run_and_no_alert(
    stack: Stack, simulator: RunningSimulator, undisturbed: Alerts, kills: int
) -> None:
    _add_tenants(stack, simulator)
    for name in WORKERS:
        stack.start_worker(name)
    stack.start_worker("schedule", ("router", "maintenance"), 1)
    stack.start_beat()
    eventually(lambda: stack.runs_under_way() > 0, about="the first run")

    _storm(stack, kills, seed=kills)

    ended = "SELECT count(DISTINCT tenant_id) FROM runs WHERE state = 'succeeded'"
    eventually(lambda: stack.scalar(ended) == TENANTS and stack.runs_under_way() == 0, seconds=240, about="every end")
    assert stack.scalar("SELECT count(*) FROM runs WHERE state = 'failed'") == 0
    assert _alerts(stack.parts.database) == undisturbed
    created = "SELECT count(*) FROM alert_history WHERE from_status IS NULL"
    alerts = stack.scalar("SELECT count(*) FROM alerts")
    assert (stack.scalar(created), stack.scalar(created.replace("*", "DISTINCT alert_id"))) == (alerts, alerts)
    assert stack.scalar("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'shadow%'") == 0
