"""``mspbyte whatif`` on a stored tenant says what it says of the same tenant's exported capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphsim.serve import RunningSimulator
from tests.tenants import environment_for
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, simulator: RunningSimulator) -> Program:
    """Contoso is tenant 1 of the simulator, which leaves trusted locations out."""
    found = program_in(monkeypatch, tmp_path, environment_for(simulator, database_url=database_url))
    found.done("tenant", "add", "contoso")
    add_source(found, simulator, 1)
    return found


def add_source(program: Program, simulator: RunningSimulator, index: int) -> None:
    known = simulator.credentials(index)
    ids = ("--tenant-id", known.tenant_id, "--client-id", known.client_id)
    program.done("source", "add", "contoso", *ids, MSPBYTE_CLIENT_SECRET=known.client_secret)


def test_a_stored_tenant_and_its_exported_capture_are_answered_alike(program: Program, tmp_path: Path) -> None:
    (run,) = program.json("sync", "contoso", "--local", FEATURE_NEW_PIPELINE="true")
    folder = str(tmp_path / "export")
    program.done("capture", "export", run["id"], folder)
    covered = program.json("analyze", folder)["mfa_coverage"]
    partial = next(one["user"] for one in covered if one["verdict"] == "partial")

    for place, expected in (("trusted", "open"), (None, "mfa")):
        asked = ("whatif", "--user", partial, *(("--location", place) if place else ()))
        stored = program.json(*asked, "--tenant", "contoso")

        assert stored["result"] == expected
        assert stored == program.json(*asked, "--folder", folder)


def test_a_source_is_named_where_a_tenant_has_several(program: Program, simulator: RunningSimulator) -> None:
    add_source(program, simulator, 2)

    several = program.refused("whatif", "--tenant", "contoso", "--user", "ada")
    assert "contoso has several Microsoft 365 sources; name one of 1, 2 with --source." in several
    assert "no Microsoft 365 source 7" in program.refused(
        "whatif", "--tenant", "contoso", "--source", "7", "--user", "ada"
    )
    never_read = program.refused("whatif", "--tenant", "contoso", "--source", "2", "--user", "ada")
    assert "users could not be read: it has not been read yet" in never_read


def test_a_tenant_without_a_source_or_of_no_such_name_is_said(program: Program) -> None:
    program.done("tenant", "add", "fabrikam")

    assert "Did you mean contoso?" in program.refused("whatif", "--tenant", "contosso", "--user", "ada")
    assert "fabrikam has no data source yet" in program.refused("whatif", "--tenant", "fabrikam", "--user", "ada")
