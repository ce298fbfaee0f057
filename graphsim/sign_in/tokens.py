"""Access tokens shaped like Entra's: JSON web tokens with the claims tools look at, signed with a key of our own."""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import uuid4

import msgspec

from graphsim.directory.seeding import derive_key
from graphsim.directory.tenants import Tenant
from graphsim.protocol.errors import invalid_token

AUDIENCE = "https://graph.microsoft.com"
ROLES = (
    "Application.Read.All",
    "AuditLog.Read.All",
    "Directory.Read.All",
    "Group.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "RoleManagement.Read.Directory",
    "User.Read.All",
)
"""The application permissions every simulated tenant consented to."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says. Times are seconds since 1970."""

    aud: str
    iss: str
    iat: int
    nbf: int
    exp: int
    appid: str
    idtyp: str
    roles: tuple[str, ...]
    tid: str
    uti: str
    """Unique token id; begins with the tenant's token generation, which a scenario may end."""
    ver: str


def issue(seed: str, tenant: Tenant, *, at: float, lifetime: int, generation: int = 0) -> str:
    """A token for the tenant's application, good for ``lifetime`` seconds from ``at``."""
    claims = Claims(
        aud=AUDIENCE,
        iss=f"https://sts.windows.net/{tenant.id}/",
        iat=int(at),
        nbf=int(at),
        exp=int(at) + lifetime,
        appid=tenant.client_id,
        idtyp="app",
        roles=ROLES,
        tid=tenant.id,
        uti=f"{generation}.{uuid4().hex}",
        ver="1.0",
    )
    head = _encode(msgspec.json.encode({"typ": "JWT", "alg": "HS256", "kid": "graphsim"}))
    signed = f"{head}.{_encode(msgspec.json.encode(claims))}"
    return f"{signed}.{_signature(seed, signed)}"


def read(seed: str, authorization: str, *, at: float) -> Claims:
    """The claims of an ``Authorization`` header, or the 401 that Graph gives."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise invalid_token("Access token is empty.")
    signed, _, signature = text.rpartition(".")
    if not hmac.compare_digest(_signature(seed, signed).encode(), signature.encode()):
        raise invalid_token("CompactToken validation failed with reason code: 80049228.")
    try:
        payload = signed.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=="), type=Claims)
    except (IndexError, binascii.Error, msgspec.DecodeError):
        raise invalid_token("CompactToken parsing failed with error code: 80049217") from None
    if claims.exp <= at:
        raise invalid_token("Lifetime validation failed, the token is expired.")
    return claims


def _signature(seed: str, signed: str) -> str:
    return _encode(hmac.digest(derive_key(seed, "signing"), signed.encode(), "sha256"))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
