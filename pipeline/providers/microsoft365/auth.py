"""Tokens for one application in one customer's tenant, by the client credentials flow.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx
import msal

from pipeline.domain.credentials import ClientCertificate, ClientCredential
from pipeline.errors import ProviderUnavailableError, TenantUnreachableError
from pipeline.providers.microsoft365.refusals import sign_in_refused, token_error


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """An application's way into one tenant. The secret or certificate stays out of ``repr``."""

    tenant_id: str
    client_id: str
    credential: ClientCredential = field(repr=False)

    def for_msal(self) -> str | Mapping[str, str]:
        """What msal takes as the client's credential.

        From a certificate it computes the SHA-256 thumbprint itself and signs with PS256:
        https://learn.microsoft.com/entra/identity-platform/certificate-credentials
        """
        match self.credential:
            case str() as secret:
                return secret
            case ClientCertificate(private_key=key, certificate=certificate):
                return {"private_key": key, "public_certificate": certificate}

    def fingerprint(self) -> bytes:
        """Tells two credentials apart without keeping them."""
        match self.credential:
            case str() as secret:
                return hashlib.sha256(b"secret " + secret.encode()).digest()
            case ClientCertificate(certificate=certificate):
                return hashlib.sha256(b"certificate " + certificate.encode()).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIns:
    """What is kept of the sign-ins of one application to one tenant with one credential."""

    fingerprint: bytes
    tokens: msal.TokenCache = field(default_factory=msal.TokenCache)
    answers: dict[str, Any] = field(default_factory=dict)
    """msal's own HTTP cache; it keeps the authority's description for a day."""


class TokenStore:
    """What one process keeps of Microsoft's sign-in over all tenants: tokens, and each authority's description.

    By application and tenant, so that neither a hit nor a miss looks through other tenants' tokens, and so that new
    credentials begin with nothing: a token got by the former ones would hide that the new ones are wrong. A run that
    is under way keeps what it began with.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], SignIns] = {}

    def of(self, credentials: Credentials, authority: str) -> SignIns:
        name, fingerprint = (authority, credentials.client_id), credentials.fingerprint()
        found = self._kept.get(name)
        if found is None or found.fingerprint != fingerprint:
            found = self._kept[name] = SignIns(fingerprint=fingerprint)
        return found

    def access_tokens(self) -> list[str]:
        """Every token that is kept; none of them may ever be shown."""
        kind = msal.TokenCache.CredentialType.ACCESS_TOKEN
        return [entry["secret"] for kept in self._kept.values() for entry in kept.tokens.search(kind)]


class SignInHttp:
    """The HTTP client msal is given: refusals become errors of our tree before msal turns them into text."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, url: str, *, params: dict[str, str] | None = None, **_: object) -> httpx.Response:
        return self._answer(httpx.Request("GET", url, params=params))

    def post(
        self,
        url: str,
        *,
        data: dict[str, str | bytes | None] | None = None,
        headers: dict[str, str] | None = None,
        **_: object,
    ) -> httpx.Response:
        filled = {key: _as_text(value) for key, value in (data or {}).items() if value is not None}
        return self._answer(httpx.Request("POST", url, data=filled, headers=headers))

    def close(self) -> None:
        """Left open: the caller owns the client."""

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._http.send(request)
        except httpx.RequestError as error:
            reason = f"Microsoft's sign-in at {request.url.host} cannot be reached ({type(error).__name__})"
            raise ProviderUnavailableError(reason) from error
        refused = token_error(response)
        if refused is not None:
            raise refused
        return response


def _as_text(value: str | bytes) -> str:
    """msal gives a client assertion as bytes, which httpx would write out as Python does."""
    return value.decode("ascii") if isinstance(value, bytes) else value


class TenantTokens:
    """Bearer tokens of one tenant, from the store or from Microsoft. Blocking; safe from several threads.

    One reading has one of these. What Microsoft refused it once it does not ask again, however many lists want a token.
    """

    def __init__(
        self, credentials: Credentials, *, authority: str, scope: str, store: TokenStore, http: httpx.Client
    ) -> None:
        self._credentials = credentials
        self._authority = f"{authority.rstrip('/')}/{credentials.tenant_id}"
        self._scope = scope
        self._kept = store.of(credentials, self._authority)
        self._http = SignInHttp(http)
        self._lock = Lock()
        self._app: Any = None
        self._refusal: TenantUnreachableError | None = None

    def token(self) -> str:
        """A valid token.

        Raises ``TenantUnreachableError`` with Microsoft's AADSTS code when the tenant or the credentials are
        refused, ``ProviderUnavailableError`` or ``ThrottledError`` when Microsoft's sign-in does not answer.
        """
        with self._lock:
            if self._refusal is not None:
                raise TenantUnreachableError(str(self._refusal), code=self._refusal.code)
            try:
                return self._acquired()
            except TenantUnreachableError as refusal:
                self._refusal = refusal
                raise

    def _acquired(self) -> str:
        answer = self._application().acquire_token_for_client([self._scope])
        if "access_token" not in answer:
            raise sign_in_refused(answer.get("error"), answer.get("error_codes"))
        return str(answer["access_token"])

    def replace(self, rejected: str) -> str:
        """Another token than the one Graph has just rejected."""
        cache = self._kept.tokens
        for entry in list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN)):
            if entry["secret"] == rejected:
                cache.remove_at(entry)
        return self.token()

    def _application(self) -> Any:  # noqa: ANN401  # msal is untyped
        """Made on first use: msal asks the authority for its description while constructing.

        The operator chose the authority, so nobody else is asked whether it is one: instance discovery would go to
        the public cloud or to a host the installation may not reach.
        """
        if self._app is None:
            self._app = msal.ConfidentialClientApplication(
                self._credentials.client_id,
                client_credential=self._credentials.for_msal(),
                authority=self._authority,
                instance_discovery=False,
                token_cache=self._kept.tokens,
                http_client=self._http,
                http_cache=self._kept.answers,
            )
        return self._app
