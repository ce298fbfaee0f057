"""Credentials of data sources, encrypted at rest."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from pipeline.domain.credentials import ClientCertificate, ClientCredential
from pipeline.errors import SettingError


class Vault:
    """Encrypts with the first key of ``SECRET_KEY``, decrypts with any, so that keys can be rotated."""

    def __init__(self, secret_key: SecretStr | None) -> None:
        if secret_key is None:
            raise SettingError("SECRET_KEY is not set. Generate one with `mspbyte secret-key` and keep it safe.")
        try:
            keys = [Fernet(key.strip()) for key in secret_key.get_secret_value().split(",")]
        except ValueError:
            raise SettingError(
                "SECRET_KEY is not accepted: use 32 bytes in URL-safe base64, as `mspbyte secret-key` prints them."
            ) from None
        self._fernet = MultiFernet(keys)

    def seal(self, credential: ClientCredential) -> bytes:
        return self._fernet.encrypt(json.dumps(_fields(credential)).encode())

    def open(self, sealed: bytes) -> ClientCredential:
        """The credential; raises ``SettingError`` when no key of ``SECRET_KEY`` fits."""
        try:
            opened = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise SettingError(
                "No key in SECRET_KEY decrypts this data source's credentials; add the key they were stored with."
            ) from None
        return _credential(opened)


def _fields(credential: ClientCredential) -> Mapping[str, str]:
    """What is sealed: the names of the fields say which kind it is."""
    match credential:
        case str():
            return {"client_secret": credential}
        case ClientCertificate():
            return {"private_key": credential.private_key, "certificate": credential.certificate}


def _credential(opened: Mapping[str, str]) -> ClientCredential:
    match opened:
        case {"client_secret": secret}:
            return secret
        case {"private_key": private_key, "certificate": certificate}:
            return ClientCertificate(private_key=private_key, certificate=certificate)
    raise SettingError("A newer version stored this data source's credentials; upgrade, or enter them again.")
