"""Signing in with a certificate, over HTTPS: from the file a person has to alerts, and what a wrong one leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from graphsim.sign_in.assertions import load_certificate
from pipeline import wiring
from pipeline.domain.capture import SyncType
from pipeline.domain.credentials import ClientCredential
from pipeline.domain.runs import Scope
from pipeline.providers.microsoft365.certificates import check_certificate
from pipeline.stages.local import sync_here
from pipeline.storage.access import replace_credentials
from tests.certificates import Made, make_certificate, rsa_key
from tests.tenants import NEW, add_simulated_tenant, settings_for

pytestmark = pytest.mark.servers
TENANT = 1


def fresh(number: int) -> Made:
    return make_certificate(key=rsa_key(number=number), begins=datetime.now(UTC) - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Connected:
    """A simulated tenant that was read once, by its secret."""

    parts: wiring.Wiring
    simulator: RunningSimulator
    scope: Scope

    def register(self, made: Made) -> None:
        application = self.simulator.simulator.traffic.application(TENANT)
        application.certificates = [load_certificate(made.pem.decode())]

    def change(self, credential: ClientCredential) -> None:
        sealed = wiring.vault(self.parts.settings).seal(credential)
        with self.parts.database.begin() as connection:
            replace_credentials(connection, self.scope, sealed, wiring.now())

    def sync(self) -> tuple[str, str | None]:
        """State and error code of the run."""
        run_id: UUID = sync_here(self.parts.database, self.parts.executor, self.scope, sync_types=[SyncType.IDENTITIES])
        with self.parts.database.begin() as connection:
            row = connection.execute(text("SELECT state, error_code FROM runs WHERE id = :id"), {"id": run_id}).one()
        return row.state, row.error_code

    def unreachable(self) -> list[str]:
        with self.parts.database.begin() as connection:
            statement = "SELECT status FROM alerts WHERE alert_type = 'tenant_unreachable'"
            return list(connection.execute(text(statement)).scalars())


@pytest.fixture
def connected(simulator: RunningSimulator, database_url: str) -> Iterator[Connected]:
    parts = wiring.build(settings_for(simulator, database_url=database_url))
    found = Connected(parts, simulator, add_simulated_tenant(parts, simulator, TENANT, NEW))
    assert found.sync() == ("succeeded", None)
    yield found
    parts.close()


@pytest.mark.parametrize("form", ["pfx", "pem"])
def test_a_registered_certificate_takes_the_secrets_place(connected: Connected, form: str) -> None:
    made = fresh(1)
    connected.register(made)
    file = made.pfx(b"passphrase") if form == "pfx" else made.pem + made.key_pem(b"passphrase")
    connected.change(check_certificate(file, datetime.now(UTC), passphrase=b"passphrase").credential)

    assert connected.sync() == ("succeeded", None)
    assert connected.unreachable() == []


def test_a_certificate_nobody_registered_is_refused_at_once_whatever_token_is_left(connected: Connected) -> None:
    """In the same process: the token of the former secret would still be good for an hour."""
    connected.register(fresh(1))
    connected.change(check_certificate(fresh(2).pfx(), datetime.now(UTC)).credential)

    assert connected.sync() == ("failed", "AADSTS700027")
    assert connected.unreachable() == ["active"]

    connected.change(connected.simulator.credentials(TENANT).client_secret)
    assert connected.sync() == ("succeeded", None)
    assert connected.unreachable() == ["resolved"]
