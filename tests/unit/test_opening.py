"""The composition's choice of a provider."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from pipeline import opening
from pipeline.domain.credentials import ClientCertificate, ClientCredential
from pipeline.domain.providers import Provider
from pipeline.domain.runs import DataSource, Run, Scope, Trigger
from pipeline.errors import SettingError, UserError
from pipeline.providers.halopsa.source import HaloPsaSource
from pipeline.providers.microsoft365.source import Microsoft365Source
from pipeline.settings import load_settings
from pipeline.storage.credentials import Vault

SETTINGS = load_settings({"SECRET_KEY": Fernet.generate_key().decode()})
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def run_of(provider: str, place: str, credential: ClientCredential = "secret") -> Run:
    source = DataSource(
        scope=Scope(tenant_id=1, source_id=2),
        tenant="contoso",
        provider=provider,
        external_tenant_id=place,
        client_id="client",
        credentials=Vault(SETTINGS.secret_key).seal(credential),
    )
    return Run(
        id=UUID(int=1),
        source=source,
        trace_id="trace",
        trigger=Trigger.MANUAL,
        sync_types=(),
        compare=False,
        branch=None,
        parts={},
        created_at=NOW,
        deadline_at=NOW,
    )


def test_every_provider_has_an_opener() -> None:
    openers = opening.provider_openers(SETTINGS)
    assert set(openers) == set(Provider)
    opened = [
        opening.open_provider(openers, run_of("microsoft365", "contoso.example")),
        opening.open_provider(openers, run_of("halopsa", "https://psa.contoso.example")),
    ]
    assert [type(one) for one in opened] == [Microsoft365Source, HaloPsaSource]


def test_an_unknown_provider_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match="unknown provider okta; known are microsoft365, halopsa"):
        opening.open_provider(opening.provider_openers(SETTINGS), run_of("okta", "x"))


def test_what_halopsa_cannot_be_opened_with_is_said() -> None:
    openers = opening.provider_openers(SETTINGS)
    certificate = ClientCertificate(private_key="key", certificate="certificate")
    with pytest.raises(SettingError, match="takes a client secret; `mspbyte source credentials contoso`"):
        opening.open_provider(openers, run_of("halopsa", "https://psa.contoso.example", certificate))
    with pytest.raises(UserError, match="no address of a HaloPSA"):
        opening.open_provider(openers, run_of("halopsa", "contoso.example"))
    other = load_settings({"SECRET_KEY": Fernet.generate_key().decode()})
    with pytest.raises(SettingError, match="No key in SECRET_KEY"):
        opening.open_provider(opening.provider_openers(other), run_of("halopsa", "https://psa.contoso.example"))
