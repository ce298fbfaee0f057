"""The watch over the suite's logs sees each kind of thing that must not be in them, and little else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import structlog
from cryptography.fernet import Fernet

from graphsim.directory.seeding import derive_key
from graphsim.directory.users import user
from graphsim.halopsa.access import credentials
from graphsim.sign_in.tokens import issue
from graphsim.simulator import SimulatorConfig, start
from tests.certificates import make_certificate
from tests.log_watch import KINDS, LogWatch, leaks_in, leaks_in_files

SIMULATOR = start(SimulatorConfig(tenants=2, users=5))
TENANT = SIMULATOR.state(0).tenant
TOKEN = issue("mspbyte", TENANT, at=0.0, lifetime=60)
HALO_SECRET = credentials("mspbyte").client_secret
PERSON = next(one for one in (user(TENANT, number) for number in range(TENANT.size)) if one.get("surname"))

LEAKS = [
    ("client secret", TENANT.client_secret),
    ("client secret", HALO_SECRET),
    ("client secret", "data={'client_secret': 'hidden', 'scope': 'x'}"),
    ("token", TOKEN),
    ("token", f"Authorization: Bearer {TOKEN[:20]}"),
    ("token", f"0.1795328315.{derive_key('any').hex()}"),
    ("client assertion", '{"client_assertion": "eyJhbGciOi"}'),
    ("private key", make_certificate().key_pem().decode()),
    ("SECRET_KEY", f"key={Fernet.generate_key().decode()}"),
    ("password in a URL", "postgresql://mspbyte:hunter2@db:5432/mspbyte"),
    ("password in a URL", "redis://:hunter2@cache/0"),
    ("page or delta token", 'HTTP Request: GET https://graph.test/v1.0/users?$top=999&$skiptoken=abc "200 OK"'),
    ("page or delta token", "https://graph.test/v1.0/users/delta?%24deltatoken=abc"),
    ("user principal name", str(PERSON["userPrincipalName"])),
    ("user principal name", "/users/somebody%40contoso.example"),
    ("name of a person", str(PERSON["displayName"])),
    ("name of a person", f"{PERSON['givenName']}.{PERSON['surname']}".lower()),
]


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _ in LEAKS} == set(KINDS)


@pytest.mark.parametrize(("kind", "text"), LEAKS, ids=[f"{kind} {number}" for number, (kind, _) in enumerate(LEAKS)])
def test_a_leak_is_seen_in_the_message_a_field_an_argument_and_a_file(
    kind: str, text: str, log_watch: LogWatch, tmp_path: Path
) -> None:
    """The session's own watch: what it finds is taken, or this test would fail as any other would."""
    structlog.get_logger("pipeline.test").debug("somebody_logged", detail=text)
    assert kind in " ".join(log_watch.take())
    logging.getLogger("library").warning("it was %s", text)
    assert kind in " ".join(log_watch.take())
    logging.getLogger("pipeline.test").debug(text)
    assert kind in " ".join(log_watch.take())
    (tmp_path / "worker.log").write_text(f"started\nit was {text}\n")
    found = leaks_in_files(tmp_path)
    assert f"worker.log:2: {kind}" in found
    assert all(text not in one for one in found), "the report of a leak is none"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stage_finished lane=main ms=12 queries=7 stage=load",
        f"tenant={TENANT.id} client={TENANT.client_id} domain={TENANT.domain}",
        "redis://:**@cache/0 postgresql://mspbyte:***@db/mspbyte redis://cache:6379/0",
        "https://graph.test/v1.0/users?$top=999&$select=id",
        f"digest {derive_key('any').hex()}",
        "worker@host ready",
    ],
)
def test_what_belongs_into_a_log_is_let_through(text: str) -> None:
    assert leaks_in(text) == []
