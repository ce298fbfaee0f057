"""Only the owner of a registered certificate signs in with it, in time and at the right door."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from functools import cache

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from graphsim.sign_in.assertions import load_certificate, verify
from graphsim.sign_in.oauth_errors import TokenError
from tests.unit.graphsim.conftest import NOW

CLIENT = "11111111-1111-4111-8111-111111111111"
DOOR = "https://localhost/tenant/oauth2/v2.0/token"
AT = NOW.timestamp()
CLAIMS: dict[str, object] = {"aud": DOOR, "iss": CLIENT, "sub": CLIENT, "exp": AT + 600, "nbf": AT}


@cache
def key(number: int = 0) -> rsa.RSAPrivateKey:
    """A different key for every number."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *, days: int = 30) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(private, hashes.SHA256())
    )


def pem(of: x509.Certificate) -> str:
    return of.public_bytes(serialization.Encoding.PEM).decode()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def thumbprint(of: x509.Certificate, algorithm: str = "sha256") -> str:
    return encoded(hashlib.new(algorithm, of.public_bytes(serialization.Encoding.DER)).digest())


def signed(header: dict[str, str], claims: dict[str, object], by: rsa.RSAPrivateKey) -> str:
    text = f"{encoded(msgspec.json.encode(header))}.{encoded(msgspec.json.encode(claims))}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    signature = by.sign(text.encode(), pss if header["alg"] == "PS256" else padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{encoded(signature)}"


def refusal(text: str, registered: x509.Certificate, *, at: float = AT) -> int:
    with pytest.raises(TokenError) as refused:
        verify(text, [registered], client_id=CLIENT, audiences=frozenset({DOOR}), at=at)
    assert (refused.value.status, refused.value.error) == (401, "invalid_client")
    return refused.value.number


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize(("header", "digest"), [("x5t", "sha1"), ("x5t", "sha256"), ("x5t#S256", "sha256")])
def test_both_algorithms_and_thumbprints_prove_who_asks(algorithm: str, header: str, digest: str) -> None:
    other, mine = certificate(key(1)), certificate(key())
    text = signed({"alg": algorithm, header: thumbprint(mine, digest)}, CLAIMS, key())

    verify(text, [other, mine], client_id=CLIENT, audiences=frozenset({DOOR}), at=AT)


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"iss": "someone"}, 700021),
        ({"sub": "someone"}, 700021),
        ({"aud": "https://elsewhere/token"}, 700023),
        ({"exp": AT - 301}, 700024),
        ({"nbf": AT + 301}, 700024),
        ({"exp": "soon"}, 50027),
    ],
)
def test_wrong_claims_are_refused_by_their_number(change: dict[str, object], number: int) -> None:
    mine = certificate(key())
    text = signed({"alg": "PS256", "x5t#S256": thumbprint(mine)}, {**CLAIMS, **change}, key())

    assert refusal(text, mine) == number


def test_a_signature_by_another_key_an_unknown_thumbprint_and_an_unknown_algorithm_are_refused() -> None:
    mine, other = certificate(key()), certificate(key(1))
    named = {"alg": "RS256", "x5t#S256": thumbprint(mine)}
    good = signed(named, CLAIMS, key())
    forged = good.replace(good.split(".")[1], encoded(msgspec.json.encode({**CLAIMS, "exp": AT + 9_000})))

    assert refusal(signed(named, CLAIMS, key(1)), mine) == 700027
    assert refusal(good, other) == 700027
    assert refusal(signed({"alg": "none", "x5t": thumbprint(mine)}, CLAIMS, key()), mine) == 700027
    assert refusal(signed({"alg": "RS256"}, CLAIMS, key()), mine) == 700027
    assert refusal(forged, mine) == 700027


def test_an_expired_certificate_is_refused() -> None:
    old = certificate(key(), days=-1)

    assert refusal(signed({"alg": "RS256", "x5t": thumbprint(old)}, CLAIMS, key()), old) == 700027


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "!.!.!", "e30.e30.e30"])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refusal(text, certificate(key())) == 50027


def test_only_rsa_certificates_in_pem_are_registered() -> None:
    assert load_certificate(pem(certificate(key()))) == certificate(key())
    with pytest.raises(ValueError, match="in PEM"):
        load_certificate("nonsense")
    with pytest.raises(ValueError, match="RSA"):
        load_certificate(pem(certificate(ec.generate_private_key(ec.SECP256R1()))))
