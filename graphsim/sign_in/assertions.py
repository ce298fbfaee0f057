"""Client assertions: signing in with a certificate instead of a secret.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials and, for the numbers,
https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from graphsim.directory.tenants import timestamp
from graphsim.sign_in.oauth_errors import TokenError

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SKEW = 300  # seconds that clocks may differ by
_PADDINGS = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
}


class _Header(msgspec.Struct, frozen=True):
    alg: str
    x5t: str = ""
    x5t_s256: str = msgspec.field(name="x5t#S256", default="")


class _Claims(msgspec.Struct, frozen=True):
    aud: str
    iss: str
    sub: str
    exp: float
    nbf: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Assertion:
    header: _Header
    claims: _Claims
    signed: bytes
    signature: bytes


def load_certificate(pem: str) -> x509.Certificate:
    """An RSA certificate; ``ValueError`` says what is wrong with the text."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise ValueError("a certificate is registered in PEM, with its BEGIN and END lines") from None
    if not isinstance(certificate.public_key(), RSAPublicKey):
        raise ValueError("a certificate to sign in with has an RSA key")  # noqa: TRY004 - the text is wrong, no type
    return certificate


def verify(
    text: str, certificates: Iterable[x509.Certificate], *, client_id: str, audiences: frozenset[str], at: float
) -> None:
    """Returns when the assertion proves that ``client_id`` asks, at second ``at`` since 1970; else ``TokenError``."""
    assertion = _read(text)
    _check_claims(assertion.claims, client_id, audiences)
    _check_time(assertion.claims, at)
    certificate = next((each for each in certificates if _is_named(each, assertion.header)), None)
    if certificate is None:
        raise _unsigned("The key was not found.")
    if not certificate.not_valid_before_utc.timestamp() <= at <= certificate.not_valid_after_utc.timestamp():
        raise _unsigned("The key used is expired.")
    _check_signature(assertion, certificate)


def _read(text: str) -> _Assertion:
    try:
        head, payload, signature = text.split(".")
        return _Assertion(
            header=msgspec.json.decode(_decoded(head), type=_Header),
            claims=msgspec.json.decode(_decoded(payload), type=_Claims),
            signed=f"{head}.{payload}".encode(),
            signature=_decoded(signature),
        )
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise TokenError(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from None


def _check_claims(claims: _Claims, client_id: str, audiences: frozenset[str]) -> None:
    if not claims.iss.lower() == claims.sub.lower() == client_id:
        sentence = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise TokenError(401, "invalid_client", 700021, sentence)
    if claims.aud.lower() not in audiences:
        sentence = "Client assertion audience claim does not match Realm issuer."
        raise TokenError(401, "invalid_client", 700023, sentence)


def _check_time(claims: _Claims, at: float) -> None:
    if claims.nbf - _SKEW <= at < claims.exp + _SKEW:
        return
    now, start, end = (timestamp(datetime.fromtimestamp(each, UTC)) for each in (at, claims.nbf, claims.exp))
    raise TokenError(
        401,
        "invalid_client",
        700024,
        f"Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
        f"expiry time of assertion {end}.",
    )


def _is_named(certificate: x509.Certificate, header: _Header) -> bool:
    der = certificate.public_bytes(Encoding.DER)
    if header.x5t_s256:
        return header.x5t_s256.rstrip("=") == _encoded(hashlib.sha256(der).digest())
    sha1 = hashlib.sha1(der, usedforsecurity=False).digest()
    return header.x5t.rstrip("=") in {_encoded(sha1), _encoded(hashlib.sha256(der).digest())}


def _check_signature(assertion: _Assertion, certificate: x509.Certificate) -> None:
    scheme, key = _PADDINGS.get(assertion.header.alg), certificate.public_key()
    if scheme is None or not isinstance(key, RSAPublicKey):
        raise _unsigned("The algorithm is not supported.")
    try:
        key.verify(assertion.signature, assertion.signed, scheme, hashes.SHA256())
    except InvalidSignature:
        raise _unsigned("The key was found, but use of the key to verify the signature failed.") from None


def _unsigned(reason: str) -> TokenError:
    sentence = f"Client assertion contains an invalid signature. [Reason - {reason}]"
    return TokenError(401, "invalid_client", 700027, sentence)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
