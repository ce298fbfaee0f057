"""The demo as a newcomer starts it: one command, one document, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.embedded import temporary_state_folder
from tests.acceptance.conftest import eventually
from tests.log_watch import leaks_in_files

pytestmark = [pytest.mark.servers, pytest.mark.workers]

STAGES = {"route", "load", "link", "analyze", "alert"}


@pytest.fixture
def state_home() -> Iterator[Path]:
    """A state folder of the test's own; the demo finds it as it finds a user's."""
    with temporary_state_folder() as folder:
        yield folder
        assert leaks_in_files(folder) == []


def demo(state_home: Path, *arguments: str) -> subprocess.Popen[str]:
    given = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "demo", *arguments],
        env={**given, "XDG_STATE_HOME": str(state_home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def left_running(state_home: Path) -> list[str]:
    """Command lines of processes that still know the demo's folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environ = process.info["environ"] or {}
        if environ.get("XDG_STATE_HOME") == str(state_home):
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def test_json_document_has_every_branch_and_nothing_stays(state_home: Path) -> None:
    """Twice, because the second start must find the first one's state and be quick about it."""
    for _ in range(2):
        process = demo(state_home, "--json", "--exit")
        printed, errors = process.communicate(timeout=120)

        assert process.returncode == 0, errors
        document = json.loads(printed)
        assert sorted(tenant["branch"] for tenant in document["tenants"]) == [
            "comparison",
            "legacy",
            "legacy",
            "new",
            "new",
        ]
        assert {tenant["users"] for tenant in document["tenants"]} == {200}
        assert {tenant["status"] for tenant in document["tenants"]} == {"succeeded"}
        assert all(tenant["alerts"] for tenant in document["tenants"])
        assert set(document["comparison"]) == {"result", "discrepancies", "declared"}
        assert document["comparison"]["result"] == "match"
        for tenant in document["tenants"]:
            assert set(tenant["queries"]) == set(tenant["seconds"]) >= STAGES
            if tenant["branch"] == "new":
                assert sum(tenant["queries"].values()) <= 30
        assert not left_running(state_home)


def test_interrupt_stops_everything(state_home: Path) -> None:
    process = demo(state_home)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Next"):
            break

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert not left_running(state_home)


def test_interrupt_in_the_middle_stops_everything(state_home: Path) -> None:
    process = demo(state_home, "--exit")
    _wait_for_worker(state_home)

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not left_running(state_home)


def test_a_killed_demo_takes_its_processes_with_it(state_home: Path) -> None:
    process = demo(state_home, "--exit")
    _wait_for_worker(state_home)

    process.kill()
    process.communicate(timeout=60)

    eventually(lambda: not left_running(state_home), about="the end of all it started")


def _wait_for_worker(state_home: Path) -> None:
    def has_worker() -> bool:
        return any("celery" in command for command in left_running(state_home))

    eventually(has_worker, about="a worker")
