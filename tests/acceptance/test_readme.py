"""Every command of the README works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from graphsim.pages import capture_pages
from graphsim.serve import RunningSimulator
from pipeline.domain.capture import COMPLETE, Page, Resource
from pipeline.providers.folder import write_folder
from tests.acceptance.conftest import Stack

pytestmark = [pytest.mark.servers, pytest.mark.workers]

ROOT = Path(__file__).parents[2]
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(document: str) -> list[str]:
    """The commands of a document's shell blocks, without their comments."""
    lines = (line.split("   #")[0].strip() for block in SHELL_BLOCK.findall(document) for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


README = commands((ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_readme_shows_the_two_commands_and_a_real_tenant() -> None:
    assert {"make demo", "make test"} <= set(README)
    assert any("source add" in command for command in README)


@pytest.mark.parametrize("command", [command for command in README if command.startswith("make ")])
def test_make_knows_the_target(command: str) -> None:
    """What the targets do is tested where it is made: the demo in test_demo.py, the tests by running."""
    shown = subprocess.run([*shlex.split(command), "-n"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert shown.returncode == 0, shown.stderr


def test_the_commands_for_a_real_tenant_work_in_order(
    stack: Stack, simulator: RunningSimulator, tmp_path: Path
) -> None:
    credentials = simulator.credentials(4)
    folder = tmp_path / "export"
    state = simulator.simulator.state(4)
    some_user, another = state.user(10), state.user(1)
    pages = [
        Page(resource=Resource(resource), parent_id=parent, body=body)
        for resource, parent, body in capture_pages(simulator.simulator.state(4).tenant)
    ]
    write_folder(folder, pages, dict.fromkeys(Resource, COMPLETE))
    stack.start_worker("worker")
    stack.start_beat()
    real = {
        "DIRECTORY_ID": credentials.tenant_id,
        "APPLICATION_ID": credentials.client_id,
        "FOLDER": str(folder),
        "ada@contoso.com": str(some_user["userPrincipalName"]),
        "emergency@contoso.com": str(another["userPrincipalName"]),
    }
    environment = {**os.environ, **stack.processes.environment, "MSPBYTE_CLIENT_SECRET": credentials.client_secret}

    for command in README:
        if not command.startswith(".venv/bin/mspbyte "):
            continue
        words = [real.get(word, word) for word in shlex.split(command)[1:]]
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), command

    listed = json.loads(
        subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "alerts", "list", "--tenant", "contoso", "--json"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    assert listed
