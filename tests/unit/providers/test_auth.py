"""Sign-in: tokens are shared, refusals carry Microsoft's code and say what to do."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from pipeline.domain.credentials import ClientCertificate
from pipeline.errors import PipelineError, ProviderUnavailableError, TenantUnreachableError, ThrottledError
from pipeline.providers.microsoft365.auth import Credentials, TenantTokens, TokenStore
from tests.certificates import make_certificate

AUTHORITY = "https://login.test"
CREDENTIALS = Credentials(tenant_id="tenant-1", client_id="app", credential="hidden")


@dataclass
class Entra:
    """A WSGI sign-in that gives numbered tokens, or ``status`` and ``body`` once they are set."""

    discovery: tuple[int, bytes] | None = None
    token: tuple[int, bytes] | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    issued: int = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        self.calls.append(path)
        if path.endswith("/token"):
            form = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
            self.forms.append(dict(parse_qsl(form)))
        status, body = self._token() if path.endswith("/token") else self._description(path.split("/")[1])
        start_response(f"{status} x", self.headers)
        return [body]

    def _description(self, tenant: str) -> tuple[int, bytes]:
        root = f"{AUTHORITY}/{tenant}/oauth2/v2.0"
        described = {"authorization_endpoint": f"{root}/authorize", "token_endpoint": f"{root}/token"}
        return self.discovery or (200, json.dumps(described).encode())

    def _token(self) -> tuple[int, bytes]:
        self.issued += 1
        granted = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.issued}"}
        return self.token or (200, json.dumps(granted).encode())

    def tokens(self, store: TokenStore, credentials: Credentials = CREDENTIALS) -> TenantTokens:
        http = httpx.Client(transport=httpx.WSGITransport(app=self))
        return TenantTokens(
            credentials, authority=AUTHORITY, scope="https://graph.test/.default", store=store, http=http
        )


def test_one_store_serves_every_reading_of_a_process() -> None:
    entra, store = Entra(), TokenStore()
    assert entra.tokens(store).token() == entra.tokens(store).token() == "token-1"
    assert len(entra.calls) == 2, "one description, one token"


def test_tenants_do_not_share_tokens() -> None:
    entra, store = Entra(), TokenStore()
    other = Credentials(tenant_id="tenant-2", client_id="app", credential="hidden")
    assert [entra.tokens(store).token(), entra.tokens(store, other).token()] == ["token-1", "token-2"]


def test_a_rejected_token_is_replaced_and_others_stay() -> None:
    entra, store = Entra(), TokenStore()
    other = entra.tokens(store, Credentials(tenant_id="tenant-2", client_id="app", credential="hidden"))
    rejected, kept = entra.tokens(store).token(), other.token()
    assert entra.tokens(store).replace(rejected) == "token-3"
    assert other.token() == kept


CERTIFICATE = make_certificate()
BY_CERTIFICATE = replace(
    CREDENTIALS,
    credential=ClientCertificate(private_key=CERTIFICATE.key_pem().decode(), certificate=CERTIFICATE.pem.decode()),
)


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=="))
    return found


def test_a_certificate_signs_an_assertion_named_by_its_sha256_thumbprint() -> None:
    """https://learn.microsoft.com/entra/identity-platform/certificate-credentials"""
    entra = Entra()
    entra.tokens(TokenStore(), BY_CERTIFICATE).token()

    (form,) = entra.forms
    assert "client_secret" not in form
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    signed, _, signature = form["client_assertion"].rpartition(".")
    header, claims = (decoded(part) for part in signed.split("."))
    assert header["alg"] == "PS256"
    assert urlsafe_b64decode(header["x5t#S256"] + "==") == CERTIFICATE.certificate.fingerprint(hashes.SHA256())
    assert claims["aud"] == f"{AUTHORITY}/tenant-1/oauth2/v2.0/token"
    assert claims["iss"] == claims["sub"] == "app"
    assert 0 < claims["exp"] - claims["iat"] <= 600
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    public = CERTIFICATE.key.public_key()
    assert isinstance(public, RSAPublicKey)
    public.verify(urlsafe_b64decode(signature + "=="), signed.encode(), pss, hashes.SHA256())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CREDENTIALS, BY_CERTIFICATE),
        (BY_CERTIFICATE, CREDENTIALS),
        (CREDENTIALS, replace(CREDENTIALS, credential="hidden too")),
    ],
    ids=["secret to certificate", "certificate to secret", "secret to secret"],
)
def test_after_a_rotation_no_token_of_the_former_credentials_is_used(before: Credentials, after: Credentials) -> None:
    entra, store = Entra(), TokenStore()
    under_way = entra.tokens(store, before)
    assert under_way.token() == "token-1"

    assert entra.tokens(store, after).token() == "token-2"

    assert under_way.token() == "token-1", "a run under way goes on as it began"
    assert entra.tokens(store, after).token() == "token-2"
    assert store.access_tokens() == ["token-2"]


def test_wrong_new_credentials_are_noticed_at_once() -> None:
    entra, store = Entra(), TokenStore()
    entra.tokens(store).token()
    entra.token = (401, refusal(700027))
    with pytest.raises(TenantUnreachableError, match="AADSTS700027"):
        entra.tokens(store, BY_CERTIFICATE).token()


def test_a_thousand_tenants_keep_a_thousand_tokens_that_are_found_without_asking_again() -> None:
    entra, store = Entra(), TokenStore()
    tenants = [replace(CREDENTIALS, tenant_id=f"tenant-{number}") for number in range(1000)]
    first = [entra.tokens(store, one).token() for one in tenants]
    asked = len(entra.calls)

    assert [entra.tokens(store, one).token() for one in tenants] == first
    assert len(entra.calls) == asked == 2000, "a description and a token each, once"
    assert len(set(first)) == 1000


def refusal(*codes: int, error: str = "invalid_client") -> bytes:
    return json.dumps({"error": error, "error_description": "AADSTS: text", "error_codes": codes}).encode()


@pytest.mark.parametrize(
    ("body", "code", "advice"),
    [
        (refusal(7000215), "AADSTS7000215", "the client secret is wrong"),
        (refusal(7000222), "AADSTS7000222", "has expired"),
        (
            refusal(700016, error="unauthorized_client"),
            "AADSTS700016",
            r"consent to it, or check the application \(client\) id\.",
        ),
        (refusal(70011, 7000112), "AADSTS7000112", "disabled"),
        (refusal(65001), "AADSTS65001", "consent"),
        (refusal(90002), "AADSTS90002", "no such tenant"),
        (refusal(5000224), "AADSTS5000224", "blocked or gone"),
        (refusal(900382), "AADSTS900382", "another of Microsoft's clouds"),
        (refusal(700027), "AADSTS700027", "certificate"),
        (refusal(700024), "AADSTS700024", "clock"),
        (refusal(50034), "AADSTS50034", "look the code up"),
        (refusal(123456), "AADSTS123456", "code=123456"),
        (b'{"error": "invalid_request"}', "invalid_request", "look the code up"),
    ],
)
def test_a_refused_sign_in_says_what_to_do(body: bytes, code: str, advice: str) -> None:
    with pytest.raises(TenantUnreachableError, match=advice) as caught:
        Entra(token=(401, body)).tokens(TokenStore()).token()
    assert caught.value.code == code
    assert "hidden" not in str(caught.value)
    assert "AADSTS: text" not in str(caught.value)


def test_a_tenant_that_does_not_exist_is_refused_before_any_token() -> None:
    with pytest.raises(TenantUnreachableError, match="no such tenant") as caught:
        Entra(discovery=(400, refusal(90002, error="invalid_tenant"))).tokens(TokenStore()).token()
    assert caught.value.code == "AADSTS90002"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((500, b"{}"), ProviderUnavailableError),
        ((503, b"<html>"), ProviderUnavailableError),
        ((200, b"<html>"), ProviderUnavailableError),
        ((400, refusal(90033, error="temporarily_unavailable")), ProviderUnavailableError),
        ((429, b"{}"), ThrottledError),
    ],
)
def test_trouble_at_the_sign_in_is_transient(answer: tuple[int, bytes], kind: type[PipelineError]) -> None:
    for entra in (Entra(token=answer, headers=[("Retry-After", "3")]), Entra(discovery=answer)):
        with pytest.raises(kind):
            entra.tokens(TokenStore()).token()


def test_no_connection_is_transient() -> None:
    with httpx.Client() as http:
        tokens = TenantTokens(CREDENTIALS, authority="https://127.0.0.1:9", scope="s", store=TokenStore(), http=http)
        with pytest.raises(ProviderUnavailableError, match="cannot be reached"):
            tokens.token()


def test_the_secret_stays_out_of_repr() -> None:
    assert "hidden" not in repr(CREDENTIALS)


def test_a_refused_sign_in_is_asked_once_in_a_reading_and_anew_in_the_next() -> None:
    """Also where Graph takes the token no more in the middle of it, and every list asks for another."""
    entra, store = Entra(), TokenStore()
    reading = entra.tokens(store)
    rejected = reading.token()
    entra.token = (401, refusal(7000222))
    for _ in range(5):
        with pytest.raises(TenantUnreachableError, match="AADSTS7000222"):
            reading.replace(rejected)
    assert len(entra.forms) == 2

    entra.token = None
    assert entra.tokens(store).token() == "token-3"
