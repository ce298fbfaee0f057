"""``mspbyte source add`` and ``source credentials`` with certificates, and how a refused tenant is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from pydantic import SecretStr
from sqlalchemy import text

from pipeline.domain.credentials import ClientCertificate, ClientCredential
from pipeline.storage.credentials import Vault
from pipeline.storage.database import Database
from pipeline.storage.tenants import list_sources
from tests.certificates import Made, make_certificate
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

KEY = Fernet.generate_key().decode()
IDS = ("--tenant-id", "contoso.example", "--client-id", "11111111-0000-0000-0000-000000000001")


@dataclass(frozen=True, slots=True)
class Desk:
    """A person with the program, a folder of files, and one tenant."""

    program: Program
    folder: Path
    database: Database

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def stored(self) -> list[ClientCredential]:
        with self.database.begin() as connection:
            return [Vault(SecretStr(KEY)).open(source.credentials) for source in list_sources(connection)]

    def execute(self, statement: str, **values: object) -> None:
        with self.database.begin() as connection:
            connection.execute(text(statement), values)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, database: Database) -> Desk:
    program = program_in(monkeypatch, tmp_path, {"DATABASE_URL": database_url, "SECRET_KEY": KEY})
    program.done("tenant", "add", "contoso")
    return Desk(program, tmp_path, database)


@pytest.fixture(scope="module")
def made() -> Made:
    return make_certificate(begins=datetime.now(UTC) - timedelta(days=1), days=100)


def thumbprint(made: Made) -> str:
    sha1 = hashes.SHA1()  # noqa: S303 - a name, as Entra shows it
    return made.certificate.fingerprint(sha1).hex().upper()


def test_a_certificate_is_stored_as_pem_and_only_its_thumbprint_and_expiry_are_shown(desk: Desk, made: Made) -> None:
    passphrase = desk.file("passphrase", b"correct horse\n")
    pfx = desk.file("app.pfx", made.pfx(b"correct horse"))
    result = desk.program.run("source", "add", "contoso", *IDS, "--certificate", pfx, "--passphrase-file", passphrase)
    assert result.exit_code == 0, result.output
    assert thumbprint(made) in result.stderr
    assert f"valid until {made.certificate.not_valid_after_utc:%Y-%m-%d}" in result.stderr
    assert "renew it soon" not in result.stderr
    (stored,) = desk.stored()
    assert isinstance(stored, ClientCertificate)
    assert stored.certificate.encode() == made.pem
    assert stored.private_key.encode() == made.key_pem()
    assert "PRIVATE KEY" not in result.output
    assert "correct horse" not in result.output


def test_a_certificate_that_expires_soon_is_taken_with_a_warning(desk: Desk) -> None:
    soon = make_certificate(begins=datetime.now(UTC) - timedelta(days=1), days=11)
    pem, key = desk.file("app.pem", soon.pem), desk.file("app.key", soon.key_pem())
    result = desk.program.run("source", "add", "contoso", *IDS, "--certificate", pem, "--key", key)
    assert result.exit_code == 0
    assert "That is in 9 days: renew it soon." in result.stderr


def test_a_mistake_is_one_sentence_and_stores_nothing(desk: Desk, made: Made) -> None:
    files = {
        "locked": desk.file("locked.pfx", made.pfx(b"right")),
        "wrong": desk.file("wrong", b"wrong"),
        "pem": desk.file("app.pem", made.pem),
        "noise": desk.file("noise", b"\x00\x01"),
        "expired": desk.file("old.pfx", make_certificate(begins=datetime(2020, 1, 1, tzinfo=UTC)).pfx()),
    }
    mistakes = {
        ("--certificate", files["locked"], "--passphrase-file", files["wrong"]): "does not open with the passphrase",
        ("--certificate", files["locked"]): "is locked",
        ("--certificate", files["pem"]): "holds no private key",
        ("--certificate", files["noise"]): "holds no certificate",
        ("--certificate", files["expired"]): "has expired on 2020-12-31",
        ("--certificate", "nowhere.pfx"): "names nowhere.pfx, which cannot be read",
        ("--certificate", files["pem"], "--client-secret-file", files["wrong"]): "not both",
        ("--key", files["pem"]): "go with --certificate",
    }
    for options, sentence in mistakes.items():
        said = desk.program.refused("source", "add", "contoso", *IDS, *options)
        assert sentence in said
        assert len(said.splitlines()) == 1
    assert desk.stored() == []


def test_secret_and_certificate_replace_each_other_and_are_tried_at_once(desk: Desk, made: Made) -> None:
    program = desk.program
    program.done("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET="first")
    later = datetime.now(UTC) + timedelta(hours=5)
    desk.execute("UPDATE schedules SET next_due_at = :later", later=later)
    desk.execute("UPDATE data_sources SET refusals = 7, refused_since = :since", since=later - timedelta(days=2))

    pfx = desk.file("app.pfx", made.pfx())
    said = program.done("source", "credentials", "contoso", "--certificate", pfx)
    assert "it is due now. `mspbyte sync contoso --wait` tells whether it works." in said
    assert isinstance(desk.stored()[0], ClientCertificate)
    (listed,) = program.json("source", "list")
    assert datetime.fromisoformat(listed["next_due_at"]) <= datetime.now(UTC)

    program.done("source", "credentials", "contoso", MSPBYTE_CLIENT_SECRET="second")
    assert desk.stored() == ["second"]


def test_of_several_sources_one_is_to_be_named(desk: Desk) -> None:
    program = desk.program
    other = ("--tenant-id", "fabrikam.example", "--client-id", IDS[3])
    program.done("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET="one")
    program.done("source", "add", "contoso", *other, MSPBYTE_CLIENT_SECRET="two")
    first, second = (source["id"] for source in program.json("source", "list"))

    said = program.refused("source", "credentials", "contoso", MSPBYTE_CLIENT_SECRET="new")
    assert f"name one of {first}, {second} with --source" in said
    said = program.refused("source", "credentials", "contoso", "--source", "999", MSPBYTE_CLIENT_SECRET="new")
    assert "has no data source 999" in said
    program.done("source", "credentials", "contoso", "--source", str(second), MSPBYTE_CLIENT_SECRET="new")
    assert desk.stored() == ["one", "new"]


def test_a_psa_takes_no_certificate(desk: Desk, made: Made) -> None:
    desk.program.done("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET="one")
    desk.execute("UPDATE data_sources SET provider = 'halopsa'")
    pfx = desk.file("app.pfx", made.pfx())
    assert "takes no certificate" in desk.program.refused("source", "credentials", "contoso", "--certificate", pfx)
    assert desk.stored() == ["one"]


def test_a_refused_tenant_is_shown_with_since_when_and_when_it_is_tried_again(desk: Desk) -> None:
    program = desk.program
    program.done("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET="one")
    assert "refused" not in program.run("source", "list").output
    assert program.json("tenant", "list")[0]["refused_since"] is None

    since, again = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 1, 15, tzinfo=UTC)
    desk.execute("UPDATE data_sources SET refusals = 6, refused_since = :since", since=since)
    desk.execute("UPDATE schedules SET next_due_at = :again", again=again)

    told = "refused since 2026-03-01 09:00:00 UTC, next try 2026-03-01 15:00:00 UTC."
    assert told in program.run("source", "list").stderr
    assert told in program.run("tenant", "list").stderr
    assert datetime.fromisoformat(program.json("tenant", "list")[0]["next_try_at"]) == again
    assert datetime.fromisoformat(program.json("source", "list")[0]["refused_since"]) == since


def test_a_wrong_application_id_is_replaced_with_the_credentials_and_forgets_what_it_subscribed_to(desk: Desk) -> None:
    program = desk.program
    program.done("source", "add", "contoso", *IDS, MSPBYTE_CLIENT_SECRET="one")
    desk.execute(
        "INSERT INTO notification_subscriptions (source_id, tenant_id, resource, subscription_id, created_at)"
        " SELECT id, tenant_id, 'users', 'of-microsoft', now() FROM data_sources"
    )
    replace = ("source", "credentials", "contoso", "--client-id")

    assert "--client-id is '../x'" in program.refused(*replace, "../x", MSPBYTE_CLIENT_SECRET="two")
    program.done(*replace, IDS[3], MSPBYTE_CLIENT_SECRET="two")
    assert len(program.json("notifications", "list")) == 1, "the same application keeps its subscriptions"
    program.done(*replace, "another", MSPBYTE_CLIENT_SECRET="three")

    assert program.json("source", "list")[0]["client_id"] == "another"
    assert desk.stored() == ["three"]
    assert program.json("notifications", "list") == []
    program.done(*replace[:3], MSPBYTE_CLIENT_SECRET="four")
    assert program.json("source", "list")[0]["client_id"] == "another"
