"""``mspbyte db``, ``tenant`` and ``source`` on a real database."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url

from pipeline.embedded import ServerUrls
from pipeline.storage.credentials import Vault
from pipeline.storage.database import Database
from pipeline.storage.tenants import list_sources
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

SECRET = "s3cret-of-contoso"
KEY = Fernet.generate_key().decode()
IDS = ("--tenant-id", "contoso.example", "--client-id", "11111111-0000-0000-0000-000000000001")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> Program:
    return program_in(monkeypatch, tmp_path, {"DATABASE_URL": database_url, "SECRET_KEY": KEY})


def test_an_empty_database_is_told_to_upgrade_and_upgraded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, servers: ServerUrls
) -> None:
    url = servers.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    name = f"mspbyte_cli_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        empty = make_url(url).set(database=name).render_as_string(hide_password=False)
        program = program_in(monkeypatch, tmp_path, {"DATABASE_URL": empty})
        try:
            assert "run `mspbyte db upgrade`" in program.refused("runs", "list")
            assert "run `mspbyte db upgrade`" in program.refused("alerts", "list")
            assert program.run("db", "status").exit_code == 1
            assert "now at schema" in program.done("db", "upgrade")
            assert "already" in program.done("db", "upgrade")
            assert program.json("db", "status")["up_to_date"] is True
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_tenant_is_added_once_and_listed(program: Program) -> None:
    assert "no tenant yet" in program.done("tenant", "list")
    assert program.json("tenant", "list") == []
    program.done("tenant", "add", "Contoso Ltd")
    assert "There is a tenant named Contoso Ltd already" in program.refused("tenant", "add", "Contoso Ltd")
    (found,) = program.json("tenant", "list")
    assert found | {"id": 0} == {
        "id": 0,
        "name": "Contoso Ltd",
        "sources": 0,
        "open_alerts": 0,
        "last_run_at": None,
        "last_run_state": None,
        "refused_since": None,
        "next_try_at": None,
        "refused_because": None,
    }
    assert "Contoso Ltd" in program.done("tenant", "list", COLUMNS="80")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_nobody_could_type_is_refused(program: Program, name: str) -> None:
    assert "choose another name" in program.refused("tenant", "add", name)


def test_an_unknown_tenant_is_answered_with_the_nearest(program: Program) -> None:
    program.done("tenant", "add", "contoso")
    for command in (["source", "list", "contosso"], ["runs", "list", "--tenant", "contosso"], ["sync", "contosso"]):
        said = program.refused(*command, REDIS_URL="redis://127.0.0.1:1/0")
        assert said == "There is no tenant named contosso. Did you mean contoso?\n"


def test_the_secret_comes_from_file_environment_or_standard_input_and_is_sealed(
    program: Program, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    ways: dict[str, tuple[list[str], str | None, dict[str, str]]] = {
        "file": (["--client-secret-file", str(file)], None, {}),
        "input": (["--client-secret-file", "-"], f"{SECRET}\n", {}),
        "environment": ([], None, {"MSPBYTE_CLIENT_SECRET": SECRET}),
    }
    for name, (options, stdin, variables) in ways.items():
        program.done("tenant", "add", name)
        result = program.run("source", "add", name, *IDS, *options, stdin=stdin, **variables)
        assert (result.exit_code, SECRET in result.output) == (0, False)
    with database.begin() as connection:
        sealed = [source.credentials for source in list_sources(connection)]
    vault = Vault(SecretStr(KEY))
    assert [vault.open(one) for one in sealed] == [SECRET] * 3
    listed = program.run("source", "list", "--json")
    assert len(listed.stdout.splitlines()) > 3
    assert "credential" not in listed.output
    assert all(one.decode() not in listed.output for one in sealed)


def test_without_a_secret_or_a_person_it_says_how_to_give_one(program: Program) -> None:
    program.done("tenant", "add", "contoso")
    assert "--client-secret-file or MSPBYTE_CLIENT_SECRET" in program.refused("source", "add", "contoso", *IDS)
    empty = program.refused("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET="  ")
    assert empty.startswith("The client secret is empty")
    missing = program.refused("source", "add", "contoso", *IDS, "--client-secret-file", "nowhere")
    assert "nowhere, which cannot be read" in missing


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["--provider", "okta"], {}, "There is no provider 'okta'"),
        (["--tenant-id", "../x"], {}, "--tenant-id is '../x'"),
        ([], {"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ([], {"SECRET_KEY": "short"}, "SECRET_KEY is not accepted"),
    ],
)
def test_what_is_wrong_with_a_source_is_said(
    program: Program, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    program.done("tenant", "add", "contoso")
    answer = program.refused("source", "add", "contoso", *IDS, *arguments, MSPBYTE_CLIENT_SECRET=SECRET, **variables)
    assert answer.startswith(said)


def test_the_same_source_is_refused(program: Program, database: Database) -> None:
    program.done("tenant", "add", "contoso")
    program.done("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET=SECRET)
    again = program.refused("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET=SECRET)
    assert again.startswith("contoso has that data source already")
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM data_sources")).scalar_one() == 1
