"""What docs/graphsim.md says is so: its example runs, its requests are answered, its table names what is served."""

from __future__ import annotations

import os
import re
import shlex
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from graphsim.reading.lists import COLLECTIONS
from graphsim.reading.operations import ASYNC_OPERATIONS, OPERATIONS
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig

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


def test_the_requests_that_make_trouble_and_change_are_answered(tmp_path: Path) -> None:
    shown = [shlex.split(line) for line in PAGE.splitlines() if line.startswith("curl ")]
    with RunningSimulator(SimulatorConfig(tenants=1, users=30), tmp_path) as simulator:
        context = ssl.create_default_context(cafile=simulator.ca_path)
        with httpx.Client(base_url=simulator.base_url, verify=context, trust_env=False) as http:
            for words in shown:
                path, given = words[3].removeprefix("$GRAPH_BASE_URL"), dict(zip(words[4::2], words[5::2], strict=True))
                method = given.get("-X", "POST" if "-d" in given else "GET")
                answer = http.request(method, path, content=given.get("-d"))
                assert answer.status_code == 200, (words, answer.text)

    assert len(shown) == 4


def test_the_halopsa_tells_its_credentials(simulator: RunningSimulator) -> None:
    context = ssl.create_default_context(cafile=simulator.ca_path)
    with httpx.Client(base_url=simulator.base_url, verify=context, trust_env=False) as http:
        told = http.get("/_sim/halopsa").json()
        form = {**told, "grant_type": "client_credentials", "scope": "all"}
        signed_in = http.post("/auth/token", data=form)

    assert (sorted(told), signed_in.status_code) == (["client_id", "client_secret"], 200)


@pytest.mark.parametrize("path", ["/".join(collection.path) for collection in COLLECTIONS])
def test_every_list_is_in_the_table(path: str) -> None:
    assert path in NAMED


def test_the_table_names_only_what_is_served() -> None:
    whole = {"/".join(path) for path, _ in (*OPERATIONS, *ASYNC_OPERATIONS)}
    lists = {"/".join(collection.path) for collection in COLLECTIONS}
    elsewhere = {"users/{id}", "groups/{id}", "policies/identitySecurityDefaultsEnforcementPolicy", "$batch"}

    assert whole | lists | elsewhere >= NAMED
