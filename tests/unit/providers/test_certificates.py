"""A certificate is taken in every form people have it, and every mistake is told in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.errors import UserError
from pipeline.providers.microsoft365.certificates import check_certificate
from tests.certificates import NOW, make_certificate, rsa_key

GOOD = make_certificate()
ISSUER = make_certificate(key=rsa_key(number=1), name="issuer")


@pytest.mark.parametrize(
    "given",
    [
        {"file": GOOD.pfx()},
        {"file": GOOD.pfx(b"hunter2"), "passphrase": b"hunter2"},
        {"file": GOOD.pem + GOOD.key_pem()},
        {"file": GOOD.key_pem(b"hunter2") + ISSUER.pem + GOOD.pem, "passphrase": b"hunter2"},
        {"file": GOOD.pem, "key": GOOD.key_pem()},
        {"file": GOOD.pem, "key": GOOD.key_pem(b"hunter2"), "passphrase": b"hunter2"},
        {"file": GOOD.pem, "key": GOOD.key_pem(), "passphrase": b"not needed"},
    ],
    ids=["pfx", "locked pfx", "pem", "locked pem with its issuer", "two files", "two files, locked", "idle passphrase"],
)
def test_every_form_becomes_the_same_key_and_certificate(given: dict[str, bytes]) -> None:
    found = check_certificate(now=NOW, **given)
    assert found.credential.certificate.encode() == GOOD.pem
    opened = serialization.load_pem_private_key(found.credential.private_key.encode(), None)
    assert opened.public_key() == GOOD.key.public_key()
    sha1 = hashes.SHA1()  # noqa: S303 - a name, as Entra shows it
    assert found.thumbprint == GOOD.certificate.fingerprint(sha1).hex().upper()
    assert found.expires_at == x509.load_pem_x509_certificate(GOOD.pem).not_valid_after_utc


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: {"file": b"hello"}, "The file holds no certificate; use PFX"),
        (lambda: {"file": b""}, "The file holds no certificate; use PFX"),
        (lambda: {"file": GOOD.key_pem()}, "The file holds no certificate; a key alone goes to --key"),
        (lambda: {"file": GOOD.pem}, "The file holds no private key; name the file that does with --key"),
        (lambda: {"file": GOOD.pfx(with_key=False)}, "The file holds no private key; export"),
        (lambda: {"file": GOOD.pem, "key": GOOD.pem}, "The file --key names holds no private key"),
        (lambda: {"file": GOOD.pem, "key": ISSUER.key_pem()}, "The private key is not the certificate's"),
        (lambda: {"file": GOOD.pfx(b"right"), "passphrase": b"wrong"}, "does not open with the passphrase"),
        (lambda: {"file": GOOD.pfx(b"right")}, "is locked; name a file with its passphrase"),
        (lambda: {"file": GOOD.pem + GOOD.key_pem(b"right"), "passphrase": b"wrong"}, "The private key does not open"),
        (lambda: {"file": GOOD.pem + GOOD.key_pem(b"right")}, "The private key is locked"),
        (lambda: {"file": GOOD.pfx(), "key": GOOD.key_pem()}, "leave it out"),
        (lambda: {"file": make_certificate(days=5).pfx()}, "has expired on 2026-11-17"),
        (lambda: {"file": make_certificate(begins=NOW + timedelta(days=2)).pfx()}, "not valid before 2026-11-24"),
        (lambda: {"file": make_certificate(key=rsa_key(1024)).pfx()}, "has 1024 bits; Microsoft Entra asks for 2048"),
        (lambda: {"file": make_certificate(key=ec.generate_private_key(ec.SECP256R1())).pfx()}, "is not RSA"),
        (lambda: {"file": GOOD.pem.replace(b"MII", b"!!!") + GOOD.key_pem()}, "no certificate that can be read"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(make: Callable[[], dict[str, bytes]], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        check_certificate(now=NOW, **make())
    assert "PRIVATE KEY-" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(("days_left", "soon"), [(29.9, True), (30.1, False)])
def test_a_certificate_that_expires_within_thirty_days_is_to_be_renewed(days_left: float, *, soon: bool) -> None:
    found = check_certificate(make_certificate(days=10 + days_left).pfx(), NOW)
    assert found.expires_soon(NOW) is soon


def test_the_private_key_stays_out_of_repr() -> None:
    found = check_certificate(GOOD.pfx(), NOW)
    assert "PRIVATE KEY" not in repr(found)
    assert found.credential.private_key not in repr(found)
