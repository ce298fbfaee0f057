"""Credentials at rest: sealed with the first key, opened with any, and never in a message."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from pipeline.domain.credentials import ClientCertificate
from pipeline.errors import SettingError
from pipeline.storage.credentials import Vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def vault(*keys: str) -> Vault:
    return Vault(SecretStr(",".join(keys)))


def test_what_is_sealed_is_opened_and_not_readable() -> None:
    sealed = vault(NEW).seal("secret")

    assert b"secret" not in sealed
    assert vault(NEW).open(sealed) == "secret"


def test_a_certificate_is_opened_as_one() -> None:
    certificate = ClientCertificate(private_key="the key", certificate="the certificate")

    sealed = vault(NEW).seal(certificate)

    assert b"the key" not in sealed
    assert vault(NEW).open(sealed) == certificate
    assert "the key" not in repr(certificate)


def test_secrets_sealed_before_there_were_certificates_still_open() -> None:
    sealed = Fernet(NEW).encrypt(b'{"client_secret": "secret"}')

    assert vault(NEW).open(sealed) == "secret"


def test_what_a_newer_version_sealed_is_refused_with_what_to_do() -> None:
    with pytest.raises(SettingError, match="A newer version stored"):
        vault(NEW).open(Fernet(NEW).encrypt(b'{"federated": "secret"}'))


def test_keys_are_rotated_by_putting_a_new_one_first() -> None:
    before = vault(OLD).seal("secret")

    rotated = vault(NEW, OLD)

    assert rotated.open(before) == "secret"
    assert vault(NEW).open(rotated.seal("secret")) == "secret"


def test_credentials_of_a_lost_key_are_refused_with_what_to_do() -> None:
    with pytest.raises(SettingError, match=r"No key in SECRET_KEY decrypts .*; add the key") as caught:
        vault(NEW).open(vault(OLD).seal("secret"))

    assert NEW not in str(caught.value)


@pytest.mark.parametrize("key", ["", "short", "x" * 44])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingError, match=r"SECRET_KEY is not accepted: .*mspbyte secret-key") as caught:
        vault(key)

    assert not key or key not in str(caught.value)


def test_a_missing_key_is_asked_for() -> None:
    with pytest.raises(SettingError, match="SECRET_KEY is not set"):
        Vault(None)
