"""``mspbyte notifications`` on a real database."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from pipeline import wiring
from pipeline.storage import tenants
from pipeline.storage.credentials import Vault
from pipeline.storage.database import Database
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

KEY = Fernet.generate_key().decode()
DIRECTORY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def nowhere() -> Iterator[str]:
    """The URL of a Graph that refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"https://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def environment(database_url: str, nowhere: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "SECRET_KEY": KEY,
        "GRAPH_BASE_URL": nowhere,
        "GRAPH_AUTHORITY": nowhere,
        "NOTIFICATION_URL": "https://pipeline.example.com/",
    }


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str]) -> Program:
    return program_in(monkeypatch, tmp_path, environment)


@pytest.fixture
def contoso(database: Database) -> None:
    with database.begin() as connection:
        tenants.add_source(
            connection,
            tenants.add_tenant(connection, "Contoso"),
            tenants.NewSource(
                provider="microsoft365",
                external_tenant_id=DIRECTORY,
                client_id="client",
                credentials=Vault(SecretStr(KEY)).seal("secret"),
            ),
            wiring.now(),
        )


def test_without_an_address_it_says_that_syncs_come_by_schedule_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str]
) -> None:
    program = program_in(monkeypatch, tmp_path, {**environment, "NOTIFICATION_URL": ""})

    assert "NOTIFICATION_URL is not set here" in program.done("notifications", "list")
    assert "NOTIFICATION_URL is not set here" in program.refused("notifications", "refresh")


def test_before_the_first_there_is_none(program: Program) -> None:
    assert "no subscription yet" in program.done("notifications", "list")
    assert program.json("notifications", "list") == []


def test_a_tenant_that_cannot_be_reached_is_shown_with_the_reason_and_the_next_attempt(
    program: Program, contoso: None
) -> None:
    done = program.run("notifications", "refresh")

    assert done.exit_code == 1
    assert "0 done, 2 failed." in done.output
    first, second = program.json("notifications", "list", "--tenant", "Contoso")
    assert (first["resource"], second["resource"]) == ("users", "groups")
    assert first["failures"] == 1
    assert "cannot be reached" in first["last_error"]

    listed = program.run("notifications", "list", COLUMNS="80")
    assert listed.stdout.count("not made yet") == 2
    assert "cannot be reached" not in listed.stdout, "a sentence has no room in a column"
    users, groups = listed.stderr.splitlines()
    assert users.startswith("users of Contoso failed once, next try ")
    assert groups.startswith("groups of Contoso failed once, next try ")
    assert users.endswith(first["last_error"])


def test_a_tenant_nobody_knows_is_one_sentence(program: Program) -> None:
    assert "There is no tenant named Fabrikam" in program.refused("notifications", "list", "--tenant", "Fabrikam")


def test_removing_forgets_what_was_never_made(program: Program, contoso: None) -> None:
    program.run("notifications", "refresh")

    assert "2 done, 0 failed." in program.done("notifications", "remove")
    assert program.json("notifications", "list") == []


@pytest.mark.parametrize("url", ["http://pipeline.example.com", "pipeline.example.com", "https://x/?a=b", "ftp://x"])
def test_an_address_microsoft_cannot_deliver_to_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], url: str
) -> None:
    program = program_in(monkeypatch, tmp_path, {**environment, "NOTIFICATION_URL": url})

    assert "NOTIFICATION_URL has a value that is not accepted: use the https:// URL" in program.refused(
        "notifications", "list"
    )
