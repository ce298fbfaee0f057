"""``mspbyte source add --provider halopsa`` and ``mspbyte psa`` on a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from graphsim.halopsa import records
from graphsim.halopsa.access import credentials
from graphsim.serve import RunningSimulator
from pipeline.storage.database import Database
from tests.tenants import environment_for
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulator: RunningSimulator, database_url: str) -> Program:
    """A shell of someone who looks after the simulated tenants and has their secrets in its environment."""
    secret = credentials(simulator.simulator.config.seed).client_secret
    variables = {**environment_for(simulator, database_url=database_url), "MSPBYTE_CLIENT_SECRET": secret}
    return program_in(monkeypatch, tmp_path, variables)


def add_psa(program: Program, simulator: RunningSimulator, owner: str = "msp") -> None:
    known = credentials(simulator.simulator.config.seed)
    program.done("tenant", "add", owner)
    options = ("--provider", "halopsa", "--url", simulator.base_url, "--client-id", known.client_id)
    assert "Added source" in program.done("source", "add", owner, *options)


def add_tenant(program: Program, simulator: RunningSimulator, index: int) -> str:
    known = simulator.credentials(index)
    name = f"tenant-{index}"
    program.done("tenant", "add", name)
    ids = ("--tenant-id", known.tenant_id, "--client-id", known.client_id)
    program.done("source", "add", name, *ids, MSPBYTE_CLIENT_SECRET=known.client_secret)
    return name


def test_a_psa_is_added_synced_and_its_companies_are_linked_by_hand(
    program: Program, simulator: RunningSimulator, database: Database
) -> None:
    add_psa(program, simulator)
    connected = add_tenant(program, simulator, records.CONNECTED)
    alone = add_tenant(program, simulator, records.NO_CLIENT)

    runs = program.json("sync", "msp", "--local")

    assert [run["state"] for run in runs] == ["succeeded"]
    assert runs[0]["sync_types"] == ["companies", "contracts"]
    first = str(records.client_id(records.CONNECTED))
    listed = {one["id"]: one for one in program.json("psa", "companies")}
    assert (listed[first]["tenants"], listed[first]["rules"]) == ([connected], ["tenant_id"])
    assert listed[str(records.FORMER_CLIENT)]["active"] is False

    prospect = str(records.FIRST_PROSPECT)
    *_, last = program.done("psa", "companies").splitlines()
    assert last.split() == ["no", "company", alone]
    assert "Linked tenant-4" in program.done("psa", "link", alone, prospect)
    listed = {one["id"]: one for one in program.json("psa", "companies")}
    assert (listed[prospect]["tenants"], listed[prospect]["rules"]) == ([alone], ["manual"])
    shown = program.done("psa", "companies", COLUMNS="120")
    assert "manual" in shown
    assert "no company" not in shown
    with database.begin() as connection:
        asked = connection.execute(text("SELECT sync_types FROM pending_triggers")).scalars().all()
    assert asked == [["companies"]]

    program.done("psa", "link", connected, prospect)
    listed = {one["id"]: one for one in program.json("psa", "companies")}
    assert (listed[prospect]["tenants"], listed[first]["tenants"]) == ([connected, alone], [])
    program.done("psa", "link", alone, first)
    program.done("psa", "unlink", connected)
    listed = {one["id"]: one for one in program.json("psa", "companies")}
    assert listed[prospect]["tenants"] == []
    assert (listed[first]["tenants"], listed[first]["rules"]) == ([connected, alone], ["tenant_id", "manual"])
    shown = program.done("psa", "companies", COLUMNS="120")
    assert f"{connected}, {alone}" in shown
    assert "tenant_id, manual" in shown
    assert "not linked by hand; `mspbyte psa companies`" in program.refused("psa", "unlink", connected)


def test_what_cannot_be_linked_is_said(program: Program, simulator: RunningSimulator) -> None:
    assert "There is no PSA yet" in program.refused("psa", "companies")
    add_psa(program, simulator)
    name = add_tenant(program, simulator, records.NO_CLIENT)
    program.done("sync", "msp", "--local", "--only", "companies")

    assert "has no company 999" in program.refused("psa", "link", name, "999")
    assert "is inactive in the PSA" in program.refused("psa", "link", name, str(records.FORMER_CLIENT))
    assert "no enabled Microsoft 365 source" in program.refused("psa", "link", "msp", str(records.FIRST_PROSPECT))
    assert "No source of msp is read for groups" in program.refused("sync", "msp", "--local", "--only", "groups")
    add_psa(program, simulator, "second")
    assert "name whose with --psa: msp, second" in program.refused("psa", "companies")
    assert program.json("psa", "companies", "--psa", "second") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--provider", "halopsa"], "A HaloPSA is named by its address"),
        (["--provider", "halopsa", "--url", "https://a.example", "--tenant-id", "x"], "A HaloPSA is named by"),
        (["--provider", "halopsa", "--url", "http://psa.example"], "'http://psa.example' is no address"),
        (["--provider", "halopsa", "--url", "https://psa.example", "--certificate", "c.pem"], "HaloPSA takes no"),
        (["--tenant-id", "x", "--url", "https://psa.example"], "A Microsoft 365 tenant is named by --tenant-id"),
        ([], "A Microsoft 365 source needs --tenant-id"),
    ],
)
def test_a_provider_is_given_what_names_it(program: Program, options: list[str], said: str) -> None:
    program.done("tenant", "add", "contoso")
    assert program.refused("source", "add", "contoso", "--client-id", "app", *options).startswith(said)
