"""What docs/graphsim.md says is so: its example runs, and its table names what is served."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphsim.reading.lists import COLLECTIONS
from graphsim.reading.operations import ASYNC_OPERATIONS, OPERATIONS
from graphsim.serve import RunningSimulator

PAGE = (Path(__file__).parents[2] / "docs" / "graphsim.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## What is served")[2]
NAMED = {path for row in re.findall(r"^\| (`.+?) \|", TABLE, re.MULTILINE) for path in re.findall(r"`([^`(]+)`", row)}


def test_the_example_signs_in_and_counts_the_guests(simulator: RunningSimulator) -> None:
    credentials = simulator.credentials(1)
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    given = {
        "GRAPH_BASE_URL": simulator.base_url,
        "GRAPH_CA_FILE": str(simulator.ca_path),
        "TENANT_ID": credentials.tenant_id,
        "CLIENT_ID": credentials.client_id,
        "CLIENT_SECRET": credentials.client_secret,
    }

    ran = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | given, capture_output=True, text=True, timeout=60, check=False
    )

    assert re.fullmatch(r"\d+ guests, the first of them \S+#EXT#@\S+\n", ran.stdout), ran.stderr


@pytest.mark.parametrize("path", ["/".join(collection.path) for collection in COLLECTIONS])
def test_every_list_is_in_the_table(path: str) -> None:
    assert path in NAMED


def test_the_table_names_only_what_is_served() -> None:
    whole = {"/".join(path) for path, _ in (*OPERATIONS, *ASYNC_OPERATIONS)}
    lists = {"/".join(collection.path) for collection in COLLECTIONS}
    elsewhere = {"users/{id}", "groups/{id}", "policies/identitySecurityDefaultsEnforcementPolicy", "$batch"}

    assert whole | lists | elsewhere >= NAMED
