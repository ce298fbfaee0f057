"""A simulated tenant under ``mspbyte rules``: read, looked at and read again, as a test does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from pipeline.storage.database import Database
from tests.tenants import environment_for
from tests.unit.cli.program import Program, program_in

PILOT, UNLICENSED = 4, 3
"""Numbers of simulated tenants: one with every kind of alert, one without a premium licence."""
BECAUSE = ("--reason", "agreed with the customer")


def contoso(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulator: RunningSimulator, database_url: str) -> Program:
    """A shell that looks after contoso, on the new branch; nothing has been read of it yet."""
    variables = environment_for(simulator, database_url=database_url, FEATURE_NEW_PIPELINE="true")
    found = program_in(monkeypatch, tmp_path, variables)
    add_tenant(found, simulator, "contoso", PILOT)
    return found


def add_tenant(program: Program, simulator: RunningSimulator, name: str, index: int) -> None:
    known = simulator.credentials(index)
    program.done("tenant", "add", name)
    ids = ("--tenant-id", known.tenant_id, "--client-id", known.client_id)
    program.done("source", "add", name, *ids, MSPBYTE_CLIENT_SECRET=known.client_secret)


def sync(program: Program, tenant: str = "contoso") -> None:
    """Reads the tenant; the users only, once the rest has been read."""
    read = program.json("runs", "list", "--tenant", tenant)
    (run,) = program.json("sync", tenant, "--local", *(["--only", "identities"] if read else []))
    assert run["state"] == "succeeded"


def alerts(program: Program, rule: str = "stale_user") -> dict[str, str]:
    """User → alert id of the open alerts of a rule."""
    return {one["entity"]: one["id"] for one in program.json("alerts", "list", "--type", rule)}


def user_with(program: Program, *rules: str) -> str:
    """A user on whom all these rules have an alert."""
    found = set.intersection(*(set(alerts(program, rule)) for rule in rules))
    assert found
    return min(found)


def last_change(program: Program, alert_id: str) -> tuple[str, str, str]:
    """(status before, status after, reason) of the alert's last change."""
    entry = program.json("alerts", "history", alert_id)[-1]
    return entry["from_status"], entry["to_status"], entry["reason"]


def covered(program: Program, rule: str, tenant: str = "contoso") -> Mapping[str, Any]:
    lines: list[dict[str, Any]] = program.json("rules", "coverage", "--tenant", tenant)
    return next(one for one in lines if one["rule"] == rule)


def exempt(program: Program, *options: str) -> str:
    """The id of the exemption that the command has made, or changed."""
    program.done("rules", "exempt", "contoso", *options, *BECAUSE)
    return str(max(program.json("rules", "exemptions"), key=lambda one: one["created_at"])["id"])


def rows(database: Database, statement: str, **values: object) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]
