"""Tokens of a HaloPSA, by the client credentials flow."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import msgspec

from pipeline.errors import ProviderUnavailableError
from pipeline.providers.halopsa.instance import Instance
from pipeline.providers.halopsa.payloads import TokenAnswer
from pipeline.providers.halopsa.refusals import sign_in_error

EARLY_SECONDS = 300.0
"""A token is replaced so long before it ends, so that none ends within a reading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """An application's way into one instance. The secret stays out of ``repr``."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    text: str = field(repr=False)
    ends_at: float
    """On the clock's monotonic scale."""


class TokenCache:
    """The tokens one process holds, by instance and application."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[Instance, str], Token] = {}

    def get(self, place: Instance, client_id: str, at: float) -> str | None:
        """A token good for some minutes from ``at``."""
        found = self._tokens.get((place, client_id))
        return found.text if found is not None and found.ends_at - EARLY_SECONDS > at else None

    def put(self, place: Instance, client_id: str, token: Token) -> None:
        self._tokens[place, client_id] = token

    def drop(self, place: Instance, client_id: str, rejected: str) -> None:
        """Forgets the token, unless another has taken its place."""
        found = self._tokens.get((place, client_id))
        if found is not None and found.text == rejected:
            del self._tokens[place, client_id]


async def fetch_token(http: httpx.AsyncClient, place: Instance, credentials: Credentials, *, now: float) -> Token:
    """A new token. Raises ``TenantUnreachableError`` when HaloPSA refuses the application."""
    response = await http.post(
        f"{place.root}/auth/token",
        params={"tenant": place.tenant} if place.tenant else None,
        data={
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "scope": "all",
        },
    )
    if not response.is_success:
        raise sign_in_error(response)
    try:
        answer = msgspec.json.decode(response.content, type=TokenAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderUnavailableError("HaloPSA's sign-in gives an answer without a token") from error
    return Token(text=answer.access_token, ends_at=now + answer.expires_in)
