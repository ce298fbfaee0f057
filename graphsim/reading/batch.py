"""Several requests in one: https://learn.microsoft.com/graph/json-batching."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from hashlib import blake2b
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError, bad_request
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.reading.dispatch import Caller, complete, refusal, respond

PATH = "$batch"
LIMIT = 20
_REFUSED = 400
_NO_BODY = msgspec.Raw()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a batch. Ids are compared without regard to case."""

    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: msgspec.Raw = _NO_BODY
    depends_on: tuple[str, ...] = msgspec.field(name="dependsOn", default=())

    @property
    def key(self) -> str:
        return self.id.lower()


class _Batch(msgspec.Struct, frozen=True):
    requests: tuple[Item, ...]


async def answer(caller: Caller, request: GraphRequest) -> Answer:
    """200 with an answer for each item, in an order of their own; raises ``GraphError`` when there is nothing to do."""
    if request.method != "POST":
        raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    answers: dict[str, Answer] = {}
    items = read(request.body)
    for item in items:
        answers[item.key] = await _respond(caller, request, item, answers)
    bodies = [_written(item, answers[item.key]) for item in sorted(items, key=_place)]
    return complete(caller, Answer(body=msgspec.json.encode({"responses": bodies})))


def read(body: bytes) -> tuple[Item, ...]:
    """The items, dependencies before what depends on them, or the 400 for what can't be read."""
    try:
        items = msgspec.json.decode(body, type=_Batch).requests
    except msgspec.DecodeError as error:
        raise bad_request(f"Invalid batch payload format. {error}") from None
    if not items:
        raise bad_request("Invalid batch payload format. There are no requests.")
    if len(items) > LIMIT:
        message = f"Number of batch request steps exceeds the maximum value of {LIMIT}."
        raise GraphError(400, "MaximumValueExceeded", message)
    if len({item.key for item in items}) < len(items) or not all(item.id for item in items):
        raise bad_request("Invalid batch payload format. The ids of the requests have to be unique.")
    return _ordered(items)


def _ordered(items: Iterable[Item]) -> tuple[Item, ...]:
    done: dict[str, Item] = {}
    waiting = list(items)
    while waiting:
        ready = [item for item in waiting if all(needed.lower() in done for needed in item.depends_on)]
        if not ready:
            raise bad_request("Invalid batch payload format. A request depends on one that is missing or on itself.")
        done |= {item.key: item for item in ready}
        waiting = [item for item in waiting if item.key not in done]
    return tuple(done.values())


async def _respond(caller: Caller, batch: GraphRequest, item: Item, answers: dict[str, Answer]) -> Answer:
    if any(answers[needed.lower()].status >= _REFUSED for needed in item.depends_on):
        message = "The request was not executed: one it depends on failed."
        return refusal(caller, GraphError(424, "FailedDependency", message))
    try:
        request = _request(batch, item)
    except GraphError as error:
        return refusal(caller, error)
    return await respond(caller, request)


def _request(batch: GraphRequest, item: Item) -> GraphRequest:
    parts = urlsplit(item.url.removeprefix(batch.service))  # Microsoft's Python client sends whole addresses
    path = unquote(parts.path).strip("/")
    if parts.scheme or parts.netloc or not path or path.lower() == PATH:
        raise bad_request(f"The url '{item.url}' is not the relative address of a resource.")
    headers = {name.lower(): value for name, value in item.headers.items()}
    return GraphRequest(
        path=path,
        service=batch.service,
        method=item.method.upper(),
        parameters=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers=headers,
        body=_body(item, headers.get("content-type", "")),
    )


def _body(item: Item, content_type: str) -> bytes:
    if not bytes(item.body):
        return b""
    if not content_type:
        raise bad_request("A request with a body needs the header Content-Type.")
    if "json" in content_type.lower():
        return bytes(item.body)
    try:
        return base64.urlsafe_b64decode(msgspec.json.decode(item.body, type=str))
    except (msgspec.DecodeError, binascii.Error):
        raise bad_request("A body other than JSON has to be a base64 URL-encoded string.") from None


def _written(item: Item, answer: Answer) -> Json:
    written: Json = {"id": item.id, "status": answer.status, "headers": dict(answer.headers)}
    if answer.body:
        is_json = "json" in answer.headers.get("Content-Type", "").lower()
        written["body"] = msgspec.Raw(answer.body) if is_json else base64.b64encode(answer.body).decode()
    return written


def _place(item: Item) -> bytes:
    """Answers come in no order a client could rely on, yet the same every time."""
    return blake2b(item.id.encode(), digest_size=8).digest()
