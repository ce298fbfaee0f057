"""What an application signs in with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCertificate:
    """A certificate and its private key, both as PEM; the key is not encrypted and stays out of ``repr``."""

    private_key: str = field(repr=False)
    certificate: str


ClientCredential = str | ClientCertificate
"""A client secret, or a certificate in its place."""
