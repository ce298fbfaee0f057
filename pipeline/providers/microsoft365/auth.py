"""Tokens for one application in one customer's tenant, by the client credentials flow.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx
import msal

from pipeline.errors import ProviderUnavailableError
from pipeline.providers.microsoft365.refusals import sign_in_refused, token_error

MICROSOFT_AUTHORITIES = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)
"""https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """An application's way into one tenant. The secret stays out of ``repr``."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)

    def for_msal(self) -> str:
        """What msal takes as the client's credential; a certificate would be a mapping here."""
        return self.client_secret


class TokenStore:
    """What one process keeps of Microsoft's sign-in over all tenants: tokens, and each authority's description."""

    def __init__(self) -> None:
        self.tokens = msal.TokenCache()
        self.answers: dict[str, Any] = {}  # msal's own HTTP cache; it keeps the authorities' descriptions for a day


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
        data: dict[str, str | None] | None = None,
        headers: dict[str, str] | None = None,
        **_: object,
    ) -> httpx.Response:
        filled = {key: value for key, value in (data or {}).items() if value is not None}
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


class TenantTokens:
    """Bearer tokens of one tenant, from the store or from Microsoft. Blocking; safe from several threads."""

    def __init__(
        self, credentials: Credentials, *, authority: str, scope: str, store: TokenStore, http: httpx.Client
    ) -> None:
        self._credentials = credentials
        self._authority = f"{authority.rstrip('/')}/{credentials.tenant_id}"
        self._scope = scope
        self._store = store
        self._http = SignInHttp(http)
        self._lock = Lock()
        self._app: Any = None

    def token(self) -> str:
        """A valid token.

        Raises ``TenantUnreachableError`` with Microsoft's AADSTS code when the tenant or the credentials are
        refused, ``ProviderUnavailableError`` or ``ThrottledError`` when Microsoft's sign-in does not answer.
        """
        with self._lock:
            answer = self._application().acquire_token_for_client([self._scope])
        if "access_token" not in answer:
            raise sign_in_refused(answer.get("error"), answer.get("error_codes"))
        return str(answer["access_token"])

    def replace(self, rejected: str) -> str:
        """Another token than the one Graph has just rejected."""
        cache = self._store.tokens
        query = {"client_id": self._credentials.client_id}
        for entry in list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, query=query)):
            if entry["secret"] == rejected:
                cache.remove_at(entry)
        return self.token()

    def _application(self) -> Any:  # noqa: ANN401  # msal is untyped
        """Made on first use: msal asks the authority for its description while constructing."""
        if self._app is None:
            known = urlsplit(self._authority).hostname in MICROSOFT_AUTHORITIES
            self._app = msal.ConfidentialClientApplication(
                self._credentials.client_id,
                client_credential=self._credentials.for_msal(),
                authority=self._authority,
                instance_discovery=None if known else False,
                token_cache=self._store.tokens,
                http_client=self._http,
                http_cache=self._store.answers,
            )
        return self._app
