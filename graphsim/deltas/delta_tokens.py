"""The opaque tokens of delta links, and how lost ones are refused.

https://learn.microsoft.com/graph/delta-query-overview: tokens of directory objects live seven days; a lost one is
refused with 410 and the address to begin anew at, or with 40x and ``syncStateNotFound``, whose case varies.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from graphsim.protocol.errors import NO_HEADERS, GraphError
from graphsim.protocol.exchange import GraphRequest
from graphsim.world.changes import Resource
from graphsim.world.state import TenantState

LIFETIME = 7 * 86_400
_TAG = 12
_SPELLINGS = ("syncStateNotFound", "SyncStateNotFound", "syncstatenotfound")
_MESSAGE = "The sync state generation is not found. The delta token is expired and data must be synchronized again."


class DeltaToken(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a round stands.

    A delta link has ``until`` ``None``: the next round tells the changes after ``after``. In the pages of a later round
    ``until`` is that round's last change and ``place`` counts its objects. In the pages of the first round ``full`` is
    set, ``place`` is the next object's number and ``inner`` where its members go on.
    """

    resource: Resource
    select: tuple[str, ...] | None
    generation: int
    issued_at: int
    after: int
    until: int | None = None
    full: bool = False
    place: int = 0
    inner: int = 0


def write(state: TenantState, token: DeltaToken) -> str:
    payload = msgspec.msgpack.encode(token)
    return base64.urlsafe_b64encode(payload + _tag(state, payload)).rstrip(b"=").decode()


def read(state: TenantState, request: GraphRequest, resource: Resource, text: str) -> DeltaToken:
    """The token, or the refusal of one that is made up, expired, of another list or older than the change log."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        payload, tag = raw[:-_TAG], raw[-_TAG:]
        token = msgspec.msgpack.decode(payload, type=DeltaToken)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise _lost(state, request, text, None) from None
    known = hmac.compare_digest(tag, _tag(state, payload)) and token.resource is resource
    if not known:
        raise _lost(state, request, text, None)
    if (
        token.generation != state.delta_generation
        or state.seconds >= token.issued_at + LIFETIME
        or token.after < state.log.forgotten
    ):
        raise _lost(state, request, text, token.select)
    return token


def _tag(state: TenantState, payload: bytes) -> bytes:
    return hmac.digest(state.tenant.key, b"delta" + payload, "sha256")[:_TAG]


def _lost(state: TenantState, request: GraphRequest, text: str, select: tuple[str, ...] | None) -> GraphError:
    if state.delta_refusal == "gone":
        anew = {"$select": ",".join(select)} if select else {}
        query = urlencode({**anew, "$deltatoken": ""}, safe="$,")
        headers: Mapping[str, str] = {"Location": f"{request.service}/{request.path}?{query}"}
        return GraphError(410, "resyncRequired", "Resync required. Please restart the synchronization.", headers)
    spelling = _SPELLINGS[sum(text.encode()) % len(_SPELLINGS)]
    status = 400 if state.delta_refusal == "bad_request" else 404
    return GraphError(status, spelling, _MESSAGE, NO_HEADERS)
