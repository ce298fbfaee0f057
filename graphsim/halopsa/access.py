"""Who may in: the token endpoint's rules and the tokens it gives."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from graphsim.directory.seeding import derive_key, draw, guid
from graphsim.directory.tenants import Json
from graphsim.halopsa.state import HaloState


@dataclass(frozen=True, kw_only=True, slots=True)
class HaloCredentials:
    """What an application needs to sign in."""

    client_id: str
    client_secret: str


def credentials(seed: str) -> HaloCredentials:
    key = derive_key(seed, "halopsa")
    return HaloCredentials(client_id=guid(draw(key, b"application", 0)), client_secret=f"halo~{key.hex()[:36]}")


def grant(seed: str, state: HaloState, form: Mapping[str, str], *, at: float, lifetime: int) -> tuple[int, Json]:
    """Status and answer of a token request."""
    known = credentials(seed)
    if form.get("grant_type") != "client_credentials":
        return 400, {"error": "unsupported_grant_type"}
    given = (form.get("client_id", "").lower(), form.get("client_secret", ""))
    if not hmac.compare_digest(repr(given).encode(), repr((known.client_id, known.client_secret)).encode()):
        return 400, {"error": "invalid_client"}
    if form.get("scope") != "all":
        return 400, {"error": "invalid_scope"}
    token = _signed(seed, f"{state.token_generation}.{int(at) + lifetime}")
    return 200, {"scope": "all", "token_type": "Bearer", "access_token": token, "expires_in": lifetime}


def lets_in(seed: str, state: HaloState, authorization: str, *, at: float) -> bool:
    scheme, _, token = authorization.partition(" ")
    head = token.rpartition(".")[0]
    generation, _, ends = head.partition(".")
    if scheme.lower() != "bearer" or not ends.isdigit():
        return False
    genuine = hmac.compare_digest(_signed(seed, head).encode(), token.encode())
    return genuine and int(ends) > at and generation == str(state.token_generation)


def _signed(seed: str, head: str) -> str:
    return f"{head}.{hmac.digest(derive_key(seed, 'halopsa tokens'), head.encode(), 'sha256').hex()}"
