"""A request's way to its answer, alone or in a batch: metered, perhaps refused, perhaps failing by order, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from graphsim.directory.tenants import Json, timestamp
from graphsim.protocol.errors import GraphError, permission_missing
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.reading import graph
from graphsim.reading.operations import ASYNC_OPERATIONS
from graphsim.reading.paths import matching, path_segments
from graphsim.simulator import Simulator
from graphsim.trouble import faults
from graphsim.trouble.faults import Delivery, Fault
from graphsim.world.state import TenantState

_ODATA = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks and when: the token's tenant, the second since 1970, and the ids that the answers carry."""

    simulator: Simulator
    state: TenantState
    at: float
    request_id: str
    client_request_id: str

    @property
    def headers(self) -> Mapping[str, str]:
        return {"request-id": self.request_id, "client-request-id": self.client_request_id, "OData-Version": "4.0"}


async def respond(caller: Caller, request: GraphRequest) -> Answer:
    """The answer to one request, refusals included: with all its headers."""
    added: Mapping[str, str] = {}
    try:
        added = caller.simulator.traffic.throttle.admit(caller.state, request, caller.at)
        run_into(strike(caller, request, (Delivery.WHOLE,)), request)
        answer = await _answer(caller, request)
    except GraphError as error:
        return refusal(caller, error, added)
    return complete(caller, answer, added)


def strike(caller: Caller, request: GraphRequest, allowed: tuple[Delivery, ...]) -> Fault | None:
    """The fault that was ordered for this request: the tenant's own come first."""
    path, seed = f"/{graph.VERSION}/{request.path}", caller.simulator.config.seed
    for ordered in (caller.state.faults, caller.simulator.traffic.faults):
        fault = faults.take(ordered, seed=seed, path=path, allowed=allowed)
        if fault:
            return fault
    return None


def run_into(fault: Fault | None, request: GraphRequest) -> None:
    if fault:
        raise fault.error(request.path)


def complete(caller: Caller, answer: Answer, added: Mapping[str, str] | None = None) -> Answer:
    """The answer with the headers that all have."""
    typed = {"Content-Type": _ODATA, "Cache-Control": "no-cache"} if answer.body else {}
    headers = {**caller.headers, **typed, **(added or {}), **answer.headers}
    return Answer(status=answer.status, body=answer.body, headers=headers)


def refusal(caller: Caller, error: GraphError, added: Mapping[str, str] | None = None) -> Answer:
    """The answer that a ``GraphError`` stands for."""
    body = error_body(error, caller.at, caller.request_id, caller.client_request_id)
    headers = {**caller.headers, "Content-Type": "application/json", **(added or {}), **error.headers}
    return Answer(status=error.status, body=body, headers=headers)


def error_body(error: GraphError, at: float, request_id: str, client_request_id: str) -> bytes:
    """https://learn.microsoft.com/graph/errors#json-representation."""
    inner: Json = {
        "date": timestamp(datetime.fromtimestamp(at, UTC)).rstrip("Z"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    body: Json = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    return msgspec.json.encode(body)


async def _answer(caller: Caller, request: GraphRequest) -> Answer:
    operation = matching(ASYNC_OPERATIONS, path_segments(request.path))
    if operation is None:
        return graph.answer(caller.state, request)
    if not caller.state.consent:
        raise permission_missing(request.path)
    return await operation(caller.simulator, caller.state, request)
