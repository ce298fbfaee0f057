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
    """The first line it prints, while it serves; what follows it is for a shell that starts a sync."""
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


def test_a_shell_is_told_the_settings_after_the_first_line(tmp_path: Path) -> None:
    folder = tmp_path / "of my own"
    command = [MSPBYTE, "graphsim", "serve", "--port", "0", "--users", "5", "--state-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first, *settings = [process.stdout.readline() for _ in range(4)]
        finally:
            process.terminate()

    address = first.split()[3]
    ca = folder / "tls" / "ca.pem"
    assert first == f"graphsim listens on {address} (CA: {ca})\n"
    assert settings == [
        f"export GRAPH_BASE_URL={address}\n",
        f"export GRAPH_AUTHORITY={address}\n",
        f"export GRAPH_CA_FILE='{ca}'\n",
    ]


@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("--notification-ca", None, "cannot be used (FileNotFoundError); name a file of PEM certificates"),
        ("--notification-ca", "no certificate", "cannot be used (SSLError); name a file of PEM certificates"),
        ("--scenario", None, "can't be read (No such file or directory).\n"),
        ("--scenario", "", "a scenario needs `steps:`"),
        ("--scenario", "steps: [{at: 1s, tenant: 0, action: nap}]", "`mspbyte graphsim mutations` lists"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, text: str | None, says: str
) -> None:
    file = tmp_path / "given"
    if text is not None:
        file.write_text(text)

    told = program_in(monkeypatch, tmp_path).refused("graphsim", "serve", option, str(file))

    assert f"{option} {file}" in told
    assert says in told


def test_everything_the_help_names_is_readable_in_eighty_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = program_in(monkeypatch, tmp_path, {"COLUMNS": "80"}).done("graphsim", "serve", "--help")

    assert "--fault rate=0.2,kind=503,path=/users" in told
    assert "--notify-http" in told
    assert "\N{HORIZONTAL ELLIPSIS}" not in told


def test_credentials_come_with_the_tenants_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = program_in(monkeypatch, tmp_path)

    found = program.json("graphsim", "credentials", "--tenants", "2")
    shown = program.done("graphsim", "credentials", "--tenants", "2")

    assert [sorted(one) for one in found] == [["client_id", "client_secret", "name", "tenant_id"]] * 2
    assert f"tenant 1, {found[1]['name']}" in shown
