"""``mspbyte graphsim serve`` as people start it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.unit.cli.program import program_in

MSPBYTE = str(Path(sys.executable).parent / "mspbyte")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """The first line it prints, while it serves."""
    command = [MSPBYTE, "graphsim", "serve", "--port", "0", "--state-dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
            process.terminate()
            assert process.communicate(timeout=30)[1] == ""
        finally:
            process.kill()


def test_plain_http_limits_and_faults_are_switched_on_by_options(tmp_path: Path) -> None:
    options = ("--tenants", "2", "--users", "1000000", "--no-https", "--throttle", "--throttle-factor", "0.0002")
    with serving(tmp_path, *options, "--fault", "kind=504,path=/groups,tenant=1") as said:
        address = said.split()[3]
        with httpx.Client(base_url=address, trust_env=False) as http:
            headers = [signed_in(http, index) for index in range(2)]
            users = [http.get("/v1.0/users?$select=id&$top=5", headers=headers[0]).status_code for _ in range(3)]
            groups = [http.get("/v1.0/groups", headers=headers[index]).status_code for index in range(2)]

    assert said == f"graphsim listens on {address} (plain HTTP)\n"
    assert address.startswith("http://")
    assert users == [200, 200, 429]
    assert groups == [429, 504]
    assert not (tmp_path / "tls").exists()


def signed_in(http: httpx.Client, index: int) -> dict[str, str]:
    tenant = http.get(f"/_sim/tenants/{index}").json()
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant["client_id"],
        "client_secret": tenant["client_secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    token = http.post(f"/{tenant['tenant_id']}/oauth2/v2.0/token", data=form).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("kind=unheard", "kind is one of 429"),
        ("rate=often,kind=503", "rate"),
        ("kind=503,tenant=5", "numbered from 0 to 4"),
    ],
)
def test_a_fault_that_cant_be_is_named_and_nothing_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, says: str
) -> None:
    told = program_in(monkeypatch, tmp_path).refused("graphsim", "serve", "--fault", rule)

    assert "--fault" in told
    assert says in told
