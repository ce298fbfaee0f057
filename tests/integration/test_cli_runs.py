"""A tenant from ``sync --local`` to alerts, exports and comparisons, through the command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from pipeline.domain.findings import Severity
from pipeline.storage.database import Database
from tests.tenants import environment_for
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

NEW = {"FEATURE_NEW_PIPELINE": "true"}
LEGACY = {"FEATURE_NEW_PIPELINE": "false"}


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, simulator: RunningSimulator) -> Program:
    """Contoso is tenant 4 of the simulator."""
    found = program_in(monkeypatch, tmp_path, environment_for(simulator, database_url=database_url))
    credentials = simulator.credentials(4)
    found.done("tenant", "add", "contoso")
    ids = ("--tenant-id", credentials.tenant_id, "--client-id", credentials.client_id)
    found.done("source", "add", "contoso", *ids, MSPBYTE_CLIENT_SECRET=credentials.client_secret)
    return found


def sync(program: Program, **flags: str) -> Any:  # noqa: ANN401 - what the command printed
    (run,) = program.json("sync", "contoso", "--local", **flags)
    return run


def fits(program: Program, *arguments: str) -> str:
    """What the command prints at 120 columns, having checked that 80 columns are enough for it as well."""
    for width in ("80", "120"):
        printed = program.done(*arguments, COLUMNS=width)
        # An address is worth more whole than folded.
        lines = [line for line in printed.splitlines() if not line.startswith("https://")]
        assert max(map(len, lines)) <= int(width)
    return printed


def test_a_run_is_listed_and_shown_with_its_stages_flags_and_reading(program: Program) -> None:
    run = sync(program, **NEW)
    assert (run["state"], run["branch"], run["tenant"]) == ("succeeded", "new", "contoso")
    assert [one["id"] for one in program.json("runs", "list", "--tenant", "contoso")] == [run["id"]]

    shown = program.json("runs", "show", run["id"][:6])
    assert [step["stage"] for step in shown["steps"]] == ["route", "load", "link", "analyze", "alert"]
    assert all(step["state"] == "done" and step["queries"] > 0 for step in shown["steps"])
    assert sum(step["queries"] for step in shown["steps"]) == run["queries"] <= 30
    assert shown["flags"]["new_pipeline"] == {"value": True, "reason": "STATIC"}
    assert shown["capture"]["complete"] is True
    assert "alert_history" not in shown

    page = fits(program, "runs", "show", run["id"], "--trace")
    for part in ("Stages", "Why this branch", "What was read", "What it did to alerts", run["trace_id"]):
        assert part in page
    assert run["id"][:8] in fits(program, "runs", "list")


def test_the_trace_tells_what_the_run_did_to_alerts_in_time_order(program: Program) -> None:
    first, second = sync(program, **LEGACY), sync(program, **NEW)
    history = program.json("runs", "show", second["id"], "--trace")["alert_history"]
    assert history
    assert {entry["trace_id"] for entry in history} == {second["trace_id"]}
    assert first["trace_id"] != second["trace_id"]
    assert [entry["at"] for entry in history] == sorted(entry["at"] for entry in history)


def test_alerts_are_listed_filtered_and_explained(program: Program) -> None:
    sync(program, **NEW)
    every = program.json("alerts", "list", "--tenant", "contoso")
    assert [alert["status"] for alert in every] == ["active"] * len(every)
    critical = program.json("alerts", "list", "--severity", "critical", "--type", "mfa_not_enforced")
    assert critical == [one for one in every if (one["severity"], one["type"]) == ("critical", "mfa_not_enforced")]
    assert program.json("alerts", "list", "--status", "resolved") == []
    assert len(program.json("alerts", "list", "--limit", "3")) == 3
    assert every[0]["id"][:8] in fits(program, "alerts", "list")

    found = program.json("alerts", "show", every[0]["id"][:8])
    assert found["remediation"]
    assert found["source_page"].startswith("https://")
    assert found["evidence"]
    assert [entry["from_status"] for entry in found["history"]] == [None]
    assert found["remediation"][:20] in fits(program, "alerts", "show", every[0]["id"])
    assert len(program.json("alerts", "history", every[0]["id"])) == 1
    fits(program, "alerts", "history", every[0]["id"])


def test_ids_nobody_has_are_answered_with_how_to_list(program: Program) -> None:
    assert program.refused("runs", "show", "0000") == (
        "There is no run 0000; `mspbyte runs list` shows the ones there are.\n"
    )
    assert program.refused("alerts", "show", "0000") == (
        "There is no alert 0000; `mspbyte alerts list` shows the ones there are.\n"
    )
    assert "`mspbyte alerts list` shows them" in program.refused("alerts", "history", "no-id")
    assert "'nope' is not one of" in program.refused("alerts", "list", "--type", "nope")


def test_a_folder_exported_from_a_run_gives_the_findings_the_run_stored(
    program: Program, database: Database, tmp_path: Path
) -> None:
    run = sync(program, **NEW)
    folder = tmp_path / "capture"
    program.done("capture", "export", run["id"], str(folder))
    with database.begin() as connection:
        rows = connection.execute(text("SELECT alert_type, external_id, subject, severity, message FROM findings"))
        stored = {tuple(row) for row in rows}
        moment: datetime = connection.execute(text("SELECT found_at FROM findings LIMIT 1")).scalar_one()

    analyzed = program.json("analyze", str(folder), "--now", moment.isoformat())
    found = {
        (one["rule"], one["external_id"], one.get("subject", ""), one["severity"], one["message"])
        for one in analyzed["findings"]
    }
    assert found == stored
    assert len(analyzed["findings"]) == len(stored) > 0


def test_a_run_whose_capture_is_gone_says_so(program: Program, database: Database, tmp_path: Path) -> None:
    run = sync(program, **NEW)
    with database.begin() as connection:
        connection.execute(text("DELETE FROM captures"))
    assert "has no capture" in program.refused("capture", "export", run["id"], str(tmp_path / "capture"))
    assert program.json("runs", "show", run["id"])["capture"] is None


def test_a_run_that_read_changes_says_of_which_lists_even_when_its_capture_is_gone(
    program: Program, database: Database
) -> None:
    run = sync(program, **NEW)
    assert "Changes only" not in program.done("runs", "show", run["id"])
    with database.begin() as connection:
        changed = (
            """UPDATE run_steps SET detail = detail || '{"changes_of": ["users", "groups"]}' WHERE stage = 'load'"""
        )
        connection.execute(text(changed))
    told = "Changes only: users, groups; everything else whole."
    assert told in fits(program, "runs", "show", run["id"])
    assert program.json("runs", "show", run["id"])["changes_of"] == ["users", "groups"]
    with database.begin() as connection:
        connection.execute(text("DELETE FROM captures"))
    assert f"What was read\n{told}" in program.done("runs", "show", run["id"])


def test_a_tenant_that_refuses_us_fails_the_run_with_its_reason_and_status_1(
    program: Program, simulator: RunningSimulator
) -> None:
    credentials = simulator.credentials(3)
    program.done("tenant", "add", "fabrikam")
    ids = ("--tenant-id", credentials.tenant_id, "--client-id", credentials.client_id)
    program.done("source", "add", "fabrikam", *ids, MSPBYTE_CLIENT_SECRET="wrong")

    result = program.run("sync", "fabrikam", "--local", **NEW)
    assert result.exit_code == 1
    assert result.stderr.endswith("failed at load.\n")
    assert "Error" in result.stdout
    (run,) = program.json("runs", "list", "--tenant", "fabrikam")
    assert " ".join(result.output.split()).count(run["error_message"]) == 1, "one failure is told once"
    assert (run["state"], run["stage"]) == ("failed", "load")
    assert run["error_message"] in program.done("runs", "show", run["id"], COLUMNS="1000")
    (alert,) = program.json("alerts", "list", "--tenant", "fabrikam")
    assert (alert["type"], alert["entity"]) == ("tenant_unreachable", "fabrikam")


def test_a_run_in_this_process_tells_on_standard_error_how_it_goes(
    program: Program, simulator: RunningSimulator
) -> None:
    result = program.run("sync", "contoso", "--local", "--only", "licenses", "--json", **NEW)
    first, *others = result.stderr.splitlines()
    assert first == "Syncing contoso here …"
    assert [line.rsplit(" in ", 1)[0] for line in others] == [
        f"contoso: {stage} done" for stage in ("route", "load", "link", "analyze", "alert")
    ]


def test_the_worst_alerts_come_first_and_a_tenant_out_of_reach_before_what_it_leaves_outdated(
    program: Program, simulator: RunningSimulator
) -> None:
    sync(program, **NEW)
    simulator.simulator.state(4).consent = False
    assert program.run("sync", "contoso", "--local", **NEW).exit_code == 1

    listed = program.json("alerts", "list")
    ranks = [Severity(one["severity"]).rank for one in listed]
    assert len(listed) > 1
    assert ranks == sorted(ranks, reverse=True)
    assert [one["type"] for one in listed].index("tenant_unreachable") == 0
    others = [(-rank, one["type"]) for rank, one in zip(ranks[1:], listed[1:], strict=True)]
    assert others == sorted(others), "then by type within a severity"
    assert program.json("alerts", "list", "--limit", "1") == listed[:1]
    assert "sync NAME" in program.done("alerts", "show", listed[0]["id"])


def test_only_what_is_asked_for_is_synced(program: Program) -> None:
    sync(program, **NEW)
    (run,) = program.json("sync", "contoso", "--local", "--only", "licenses,groups", **NEW)
    assert sorted(run["sync_types"]) == ["groups", "licenses"]
    assert program.refused("sync", "contoso", "--local", "--only", "devices").startswith("--only names devices; use ")


def test_what_could_not_be_told_is_on_the_runs_page(program: Program, simulator: RunningSimulator) -> None:
    run = sync(program, **NEW, FEATURE_UNIFIED_ANALYZER="false")
    shown: Mapping[str, Any] = program.json("runs", "show", run["id"])
    told = {(item["rule"], item["reason"]) for item in shown["not_evaluated"]}
    assert len(told) == len(shown["not_evaluated"])
    assert shown["parts"]["main"]["analyzer"] == "separate"


def test_a_comparison_is_stored_shown_and_measured(program: Program) -> None:
    assert program.json("compare", "contoso", "--last") == []
    (found,) = program.json("compare", "contoso", "--local", **LEGACY)
    assert (found["control"], found["candidate"], found["result"]) == ("legacy", "unified", "match")
    assert sum(cause["count"] for cause in found["causes"]) == found["discrepancies"]
    assert found["improvement_percent"]["queries"] > 50
    assert program.json("compare", "contoso", "--last") == [found]
    page = fits(program, "compare", "contoso", "--last")
    for part in ("Causes", "Performance", "improvement", " %"):
        assert part in page
    lanes = {step["lane"] for step in program.json("runs", "show", found["run"])["steps"]}
    assert lanes == {"main", "control", "candidate"}
    fits(program, "runs", "show", found["run"])
