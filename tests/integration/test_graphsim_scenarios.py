"""Delta, scenarios and the command line of a running simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.world.playing import read
from pipeline.cli.commands.graphsim import app as command
from pipeline.errors import UserError
from tests.graphsim_clients import WAIT, App, Body, Hook, hook, signed_in

NOW = datetime(2026, 9, 1, tzinfo=UTC)
CONFIG = SimulatorConfig(seed="tests", tenants=3, users=60, now=NOW, plain_notifications=True, notification_scale=0.001)


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphsim")


@pytest.fixture
def running(state_dir: Path) -> Iterator[RunningSimulator]:
    with RunningSimulator(CONFIG, state_dir) as simulator:
        yield simulator


@pytest.fixture
def client(running: RunningSimulator) -> Iterator[App]:
    with signed_in(running) as made:
        yield made


@pytest.fixture
def endpoint() -> Iterator[Hook]:
    with hook() as made:
        yield made


def test_delta_is_followed_over_https(running: RunningSimulator, client: App) -> None:
    first = client.http.get("/v1.0/users/delta?$select=id,accountEnabled", headers={"Prefer": "odata.maxpagesize=25"})
    assert first.headers["Preference-Applied"] == "odata.maxpagesize=25"
    found, page = first.json()["value"], first.json()
    while "@odata.nextLink" in page:
        page = client.http.get(page["@odata.nextLink"]).json()
        found += page["value"]
    assert len(found) == 60
    client.do("disable_user", 20)
    client.do("delete_user", 21)

    changed = client.http.get(page["@odata.deltaLink"]).json()["value"]
    client.do("expire_deltas")
    gone = client.http.get(page["@odata.deltaLink"])

    tenant = running.simulator.state(0).tenant
    assert changed == [
        {"accountEnabled": False, "id": tenant.user_id(20)},
        {"id": tenant.user_id(21), "@removed": {"reason": "changed"}},
    ]
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "resyncRequired")
    anew = client.http.get(gone.headers["Location"], headers={"Prefer": "odata.maxpagesize=999"}).json()
    assert len(anew["value"]) == 59
    assert set(anew["value"][0]) == {"id", "accountEnabled"}


def test_a_scenario_is_played_while_the_server_runs(state_dir: Path, endpoint: Hook) -> None:
    text = """
    clock: {speed: 3600}
    steps:
      - {at: 10m, tenant: 0, action: disable_user, id: 5}
      - {at: 25m, tenant: 0, action: restore_user, id: 5}
      - {at: 30m, tenant: 0, action: enable_user, id: 5}
    """
    config = SimulatorConfig(tenants=1, users=20, plain_notifications=True, scenario=read(text))
    with RunningSimulator(config, state_dir) as running, signed_in(running) as made:
        made.subscribe(endpoint.address)
        endpoint.next()
        progress: Body = {}
        deadline = time.monotonic() + WAIT
        while progress.get("done") != 3 and time.monotonic() < deadline:
            progress = made.http.get("/_sim/scenario").json()

    assert (progress["steps"], progress["done"]) == (3, 3)
    assert [sentence.partition(":")[0] for sentence in progress["failed"]] == ["restore_user at 1500 s"]


def test_the_command_line_moves_the_running_simulator(running: RunningSimulator, state_dir: Path) -> None:
    runner = CliRunner()
    there = ["--url", running.base_url, "--state-dir", str(state_dir)]

    done = runner.invoke(
        command, ["mutate", "0", "add_role_member", "Global Reader", "--set", "user=30", *there, "--json"]
    )
    refused = runner.invoke(command, ["mutate", "0", "disable_user", "999", *there])
    unknown = runner.invoke(command, ["mutate", "9", "create_user", *there])

    state = running.simulator.state(0)
    assert (done.exit_code, json.loads(done.stdout)["sequence"]) == (0, 1)
    assert state.log.kept[0].member is not None
    assert state.log.kept[0].member.id == state.tenant.user_id(30)
    assert "no user '999'" in str(refused.exception)
    assert "no tenant 9" in str(unknown.exception)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("steps: [{at: 1s, tenant: 7, action: create_user}]", "names tenant 7"),
        ("steps: [{at: 1s, tenant: nobody, action: create_user}]", "names tenant nobody"),
        ("steps: [{at: 1s, tenant: 0, action: fly}]", "step 1: there is no action 'fly'"),
        ("steps: {", "line 1"),
    ],
)
def test_a_wrong_scenario_is_refused_before_anything_is_served(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)

    refused = CliRunner().invoke(command, ["serve", "--scenario", str(path), "--state-dir", str(tmp_path)])

    assert isinstance(refused.exception, UserError)
    assert reason in str(refused.exception)


def test_the_command_line_lists_what_can_happen(tmp_path: Path) -> None:
    listed = CliRunner().invoke(command, ["mutations", "--json"])
    missing = CliRunner().invoke(command, ["mutate", "0", "create_user", "--state-dir", str(tmp_path)])

    assert "disable_policy" in {each["action"] for each in json.loads(listed.stdout)}
    assert "No simulator runs" in str(missing.exception)
