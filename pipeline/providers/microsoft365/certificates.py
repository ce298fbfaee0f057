"""Certificates an application signs in with, as people hand them over: PFX (PKCS #12), or PEM.

Entra takes RSA keys of 2,048 bits and more: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12

from pipeline.domain.credentials import ClientCertificate
from pipeline.errors import UserError

SMALLEST_KEY_BITS = 2048
RENEW_WITHIN = timedelta(days=30)
"""From when on a person is told to renew."""

_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----", re.DOTALL)
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_PEM = b"-----BEGIN "


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedCertificate:
    """A certificate Entra would take, and what may be shown of it."""

    credential: ClientCertificate
    thumbprint: str
    """SHA-1 in capital hexadecimal digits, as Entra lists it."""
    expires_at: datetime

    def expires_soon(self, now: datetime) -> bool:
        return self.expires_at - now < RENEW_WITHIN


def check_certificate(
    file: bytes, now: datetime, *, key: bytes | None = None, passphrase: bytes | None = None
) -> CheckedCertificate:
    """The certificate of a file with its private key, from the file itself or from ``key``.

    Raises ``UserError`` with one sentence when it is none, cannot be opened, or Entra would not take it.
    """
    private_key, certificates = _from_pem(file, key, passphrase) if _PEM in file else _from_pfx(file, key, passphrase)
    if not isinstance(private_key, RSAPrivateKey):
        raise UserError("The certificate's key is not RSA, which Microsoft Entra asks for; make one with an RSA key.")
    if private_key.key_size < SMALLEST_KEY_BITS:
        raise UserError(
            f"The certificate's key has {private_key.key_size} bits; Microsoft Entra asks for {SMALLEST_KEY_BITS}."
        )
    certificate = _of_key(certificates, private_key)
    _check_dates(certificate, now)
    return CheckedCertificate(
        credential=ClientCertificate(
            private_key=private_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
            certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        ),
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name, as Entra shows it
        expires_at=certificate.not_valid_after_utc,
    )


def _from_pfx(file: bytes, key: bytes | None, passphrase: bytes | None) -> tuple[object, list[x509.Certificate]]:
    if key is not None:
        raise UserError("--key goes with a PEM certificate; a PFX file holds its own key, so leave it out.")
    try:
        bundle = pkcs12.load_pkcs12(file, passphrase)
    except ValueError as error:
        if "password" in str(error).lower():  # the library has one type of error for both
            raise UserError(_locked("The certificate file", passphrase)) from None
        raise UserError("The file holds no certificate; use PFX (PKCS #12), or PEM text.") from None
    if bundle.key is None:
        raise UserError("The file holds no private key; export the certificate together with its key.")
    found = [entry.certificate for entry in (bundle.cert, *bundle.additional_certs) if entry is not None]
    return bundle.key, found


def _from_pem(file: bytes, key: bytes | None, passphrase: bytes | None) -> tuple[object, list[x509.Certificate]]:
    if _CERTIFICATE not in file:
        raise UserError("The file holds no certificate; a key alone goes to --key.")
    block = _PRIVATE_KEY.search(file if key is None else key)
    if block is None:
        where = "The file holds no private key; name the file that does with --key."
        raise UserError(where if key is None else "The file --key names holds no private key in PEM text.")
    try:
        certificates = x509.load_pem_x509_certificates(file)
    except ValueError:
        raise UserError("The file holds no certificate that can be read; export it again as PEM or PFX.") from None
    return _opened(block.group(), passphrase), certificates


def _opened(block: bytes, passphrase: bytes | None) -> object:
    locked = b"ENCRYPTED" in block
    try:
        return serialization.load_pem_private_key(block, passphrase if locked else None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        message = (
            _locked("The private key", passphrase) if locked else "The private key cannot be read; export it again."
        )
        raise UserError(message) from None


def _locked(what: str, passphrase: bytes | None) -> str:
    if passphrase is None:
        return f"{what} is locked; name a file with its passphrase with --passphrase-file."
    return f"{what} does not open with the passphrase; check what --passphrase-file holds."


def _of_key(certificates: list[x509.Certificate], key: RSAPrivateKey) -> x509.Certificate:
    """The certificate of the key; the others of a file are those that vouch for it."""
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            return certificate
    if not certificates:
        raise UserError("The file holds a private key and no certificate; export both together.")
    raise UserError("The private key is not the certificate's; name the two that belong together.")


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    if now >= certificate.not_valid_after_utc:
        raise UserError(f"The certificate has expired on {certificate.not_valid_after_utc:%Y-%m-%d}; use a newer one.")
    if now < certificate.not_valid_before_utc:
        raise UserError(f"The certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}.")
