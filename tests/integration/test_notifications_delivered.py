"""From the simulator's subscriptions to the requested sync, over real HTTP: handshake, changes, lifecycle events."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from pipeline import wiring
from pipeline.domain.runs import Scope
from pipeline.settings import load_settings
from pipeline.stages.subscriptions import Keeper, Kept
from pipeline.subscribing import build_keeper
from tests.tenants import NEW, add_simulated_tenant, environment_for

pytestmark = pytest.mark.servers

SERVE = "from pipeline.settings import load_settings; from pipeline.web.server import serve_web; \
serve_web(load_settings(), '127.0.0.1', 0)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """Two tenants of a simulator that delivers to a web process over the same database."""

    simulator: RunningSimulator
    parts: wiring.Wiring
    keeper: Keeper
    scopes: tuple[Scope, Scope]

    def scalar(self, statement: str) -> object:
        with self.parts.database.begin() as connection:
            return connection.execute(text(statement)).scalar_one_or_none()

    def mutate(self, tenant: int, action: str, key: str = "", **particulars: object) -> None:
        context = ssl.create_default_context(cafile=self.simulator.ca_path)
        address = f"{self.simulator.base_url}/_sim/tenants/{tenant}/mutations"
        answer = httpx.post(address, json={"action": action, "id": key, "set": particulars}, verify=context)
        assert answer.is_success, answer.text

    def change_a_user(self, tenant: int) -> None:
        self.mutate(tenant, "disable_user", self.simulator.simulator.state(tenant).tenant.user_id(3))

    def held(self, tenant: int) -> set[str]:
        return {one.resource_text for one in self.simulator.simulator.state(tenant).subscriptions.held.values()}


def eventually(met: Callable[[], bool], seconds: float = 15.0) -> None:
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "not met in time"
        pause.wait(0.02)


@pytest.fixture
def delivered(database_url: str, tmp_path: Path, simulator_state: Path) -> Iterator[Delivered]:
    config = SimulatorConfig(tenants=2, users=40, plain_notifications=True)
    with RunningSimulator(config, simulator_state) as simulator:
        environment = environment_for(simulator, database_url=database_url)
        with subprocess.Popen(
            [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as web:
            assert web.stdout
            address = web.stdout.readline().split()[-1].removesuffix("/health")
            parts = wiring.build(load_settings({**environment, "NOTIFICATION_URL": address}))
            scopes = [add_simulated_tenant(parts, simulator, index, NEW) for index in range(2)]
            keeper = build_keeper(parts.settings, parts.database)
            yield Delivered(simulator=simulator, parts=parts, keeper=keeper, scopes=(scopes[0], scopes[1]))
            parts.close()
            web.terminate()


def test_a_change_in_a_tenant_requests_a_sync_of_that_tenant_alone(delivered: Delivered) -> None:
    assert delivered.keeper.keep(wiring.now()) == Kept(done=4)
    assert delivered.held(0) == delivered.held(1) == {"users", "groups"}
    with delivered.parts.database.begin() as connection:
        connection.execute(text("DELETE FROM pending_triggers"))

    delivered.change_a_user(1)

    eventually(lambda: delivered.scalar("SELECT sum(notifications) FROM notification_subscriptions") == 1)
    assert delivered.scalar("SELECT source_id FROM pending_triggers") == delivered.scopes[1].source_id
    assert delivered.scalar("SELECT sync_types FROM pending_triggers") == ["identities"]


def test_a_removed_subscription_is_made_anew_and_a_challenge_is_answered(delivered: Delivered) -> None:
    delivered.keeper.keep(wiring.now(), tenant_id=delivered.scopes[0].tenant_id)
    asked = "SELECT count(*) FROM notification_subscriptions WHERE wanted_action <> ''"
    for event in ("reauthorizationRequired", "subscriptionRemoved"):
        delivered.mutate(0, "send_lifecycle", event=event)
        eventually(lambda: delivered.scalar(asked) == 2)
        assert delivered.keeper.keep(wiring.now(), tenant_id=delivered.scopes[0].tenant_id) == Kept(done=2)

    assert delivered.held(0) == {"users", "groups"}
    assert delivered.scalar(asked) == 0


def test_subscriptions_end_with_the_address(delivered: Delivered) -> None:
    delivered.keeper.keep(wiring.now())

    assert replace(delivered.keeper, url=None).keep(wiring.now()) == Kept(done=4)

    assert delivered.held(0) == delivered.held(1) == set()


def test_an_address_nobody_listens_at_is_refused_by_microsoft_and_said(delivered: Delivered) -> None:
    elsewhere = replace(delivered.keeper, url="http://127.0.0.1:9")

    assert elsewhere.keep(wiring.now()) == Kept(done=0, failed=4)

    assert delivered.held(0) == set()
    assert "ValidationError" in str(delivered.scalar("SELECT min(last_error) FROM notification_subscriptions"))
