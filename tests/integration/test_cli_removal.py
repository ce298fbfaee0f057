"""``mspbyte source remove`` and ``mspbyte tenant remove``: everything of theirs is gone, and nothing of others."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from graphsim.serve import RunningSimulator
from pipeline.errors import UserError
from pipeline.stages.dispatch import FIRST
from pipeline.storage import ledger
from pipeline.storage.database import Database
from pipeline.storage.removal import remove_source
from pipeline.storage.tables import alert_history, alerts, capture_pages, data_sources, metadata, run_steps, tenants
from tests.ledger_steps import add_source, new_run, wait_until_blocked
from tests.tenants import environment_for
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

KEPT = {"outbox"}
"""Events are still told; retention takes them."""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulator: RunningSimulator, database_url: str) -> Program:
    """A shell of someone who looks after two simulated tenants, each with one source."""
    found = program_in(monkeypatch, tmp_path, environment_for(simulator, database_url=database_url))
    for index in (0, 1):
        known = simulator.credentials(index)
        found.done("tenant", "add", f"tenant-{index}")
        ids = ("--tenant-id", known.tenant_id, "--client-id", known.client_id)
        found.done("source", "add", f"tenant-{index}", *ids, MSPBYTE_CLIENT_SECRET=known.client_secret)
    return found


def sync(program: Program, *indexes: int) -> None:
    for index in indexes:
        (run,) = program.json("sync", f"tenant-{index}", "--local")
        assert run["state"] == "succeeded"


def subscribe(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO notification_subscriptions (source_id, tenant_id, resource, subscription_id, created_at)"
            " SELECT id, tenant_id, 'users', 'of-' || id, now() FROM data_sources"
        )
    )


def counted(connection: Connection, source_id: int) -> dict[str, int]:
    """Rows of the source by table, wherever one names its source."""
    return {
        table.name: connection.execute(
            select(func.count()).select_from(table).where(table.c.source_id == source_id)
        ).scalar_one()
        for table in metadata.sorted_tables
        if "source_id" in table.c and table.name not in KEPT
    }


def orphans(connection: Connection) -> dict[str, int]:
    """Rows that belong to a row that is gone."""
    known = {
        alert_history: alert_history.c.alert_id.not_in(select(alerts.c.id)),
        run_steps: run_steps.c.run_id.not_in(select(metadata.tables["runs"].c.id)),
        capture_pages: capture_pages.c.run_id.not_in(select(metadata.tables["captures"].c.run_id)),
    }
    return {
        table.name: connection.execute(select(func.count()).select_from(table).where(lost)).scalar_one()
        for table, lost in known.items()
    }


@pytest.mark.parametrize("noun", ["source", "tenant"])
def test_what_is_removed_is_gone_with_everything_and_the_others_are_untouched(
    program: Program, database: Database, noun: str
) -> None:
    sync(program, 0, 1)
    with database.begin() as connection:
        subscribe(connection)
        first, second = connection.execute(select(data_sources.c.id).order_by(data_sources.c.id)).scalars()
        before, others = counted(connection, first), counted(connection, second)
    for name in ("entities", "relationships", "findings", "alerts", "source_inputs", "runs", "captures", "schedules"):
        assert before[name] > 0, name

    said = program.done(noun, "remove", "tenant-0", "--yes")

    assert said.startswith("Removed ")
    assert "end at Microsoft by themselves within 28 days" in said
    with database.begin() as connection:
        assert set(counted(connection, first).values()) == {0}
        assert counted(connection, second) == others
        assert set(orphans(connection).values()) == {0}
        left = connection.execute(select(tenants.c.name).order_by(tenants.c.name)).scalars().all()
    assert left == (["tenant-1"] if noun == "tenant" else ["tenant-0", "tenant-1"])


@pytest.mark.parametrize("noun", ["source", "tenant"])
def test_nothing_is_removed_while_a_run_is_under_way_or_without_a_yes(
    program: Program, database: Database, noun: str
) -> None:
    said = program.refused(noun, "remove", "tenant-0")
    assert "confirm it with --yes" in said
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO runs (id, tenant_id, source_id, trace_id, trigger, run_key, sync_types, state, created_at)"
                " SELECT gen_random_uuid(), tenant_id, id, '', 'manual', id, '{}', 'running', now() FROM data_sources"
            )
        )

    said = program.refused(noun, "remove", "tenant-0", "--yes")

    assert "has a run under way; remove it when that has ended" in said
    assert len(said.splitlines()) == 1
    assert len(program.json("source", "list")) == 2
    with database.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'failed'"))
    assert "28 days" not in program.done(noun, "remove", "tenant-0", "--yes"), "it had no subscriptions"
    assert len(program.json("source", "list")) == 1


def test_of_several_sources_the_named_one_is_removed_and_a_tenant_without_any_too(program: Program) -> None:
    ids = ("--tenant-id", "other.example", "--client-id", "app")
    program.done("source", "add", "tenant-0", *ids, MSPBYTE_CLIENT_SECRET="two")
    first, second = (one["id"] for one in program.json("source", "list", "tenant-0"))

    assert "with --source" in program.refused("source", "remove", "tenant-0", "--yes")
    program.done("source", "remove", "tenant-0", "--source", str(first), "--yes")

    assert [one["id"] for one in program.json("source", "list", "tenant-0")] == [second]
    program.done("source", "remove", "tenant-0", "--yes")
    assert "has no data source yet" in program.refused("source", "remove", "tenant-0", "--yes")
    program.done("tenant", "remove", "tenant-0", "--yes")
    assert "no tenant named tenant-0" in program.refused("tenant", "remove", "tenant-0", "--yes")


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"y\n", 1)])
def test_on_a_terminal_it_is_asked_first(program: Program, answer: bytes, left: int) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer)
    command = [sys.executable, "-m", "pipeline.cli", "tenant", "remove", "tenant-0"]
    environment = {**os.environ, **program.environment}
    ended = subprocess.run(command, stdin=terminal, env=environment, capture_output=True, check=False, timeout=60)
    os.close(keyboard)
    os.close(terminal)

    assert b"Remove tenant-0 with everything read of it for good? [y/N]" in ended.stderr
    assert ended.returncode == left - 1
    assert len(program.json("tenant", "list")) == left


def test_a_refused_source_says_why_and_what_tries_at_once(program: Program, simulator: RunningSimulator) -> None:
    simulator.simulator.state(0).consent = False
    assert program.run("sync", "tenant-0", "--local").exit_code == 1
    (why,) = (one["refused_because"] for one in program.json("source", "list", "tenant-0"))
    assert why

    for noun in ("source", "tenant"):
        said = program.run(noun, "list").stderr
        assert f" UTC. {why.rstrip('.')}. `mspbyte sync tenant-0` tries at once." in said
        assert "tenant-1" not in said


def test_a_run_that_is_being_opened_at_that_moment_keeps_its_source(database: Database) -> None:
    scope = add_source(database)

    def remove() -> None:
        with database.begin() as connection:
            remove_source(connection, scope)

    with ThreadPoolExecutor(1) as threads:
        with database.begin() as connection:
            assert ledger.open_run(connection, new_run(scope), FIRST)
            removal = threads.submit(remove)
            wait_until_blocked(database)
        with pytest.raises(UserError, match="has a run under way"):
            removal.result(timeout=30)

    with database.begin() as connection:
        assert counted(connection, scope.source_id)["runs"] == 1
