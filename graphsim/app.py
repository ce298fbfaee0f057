"""The simulator as an ASGI application: Entra's token endpoint, Graph v1.0 and the control routes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphsim import control, entra, graph, tokens
from graphsim.errors import GraphError, bad_request, consent_missing, invalid_token, not_simulated
from graphsim.exchange import Answer, GraphRequest
from graphsim.operations import ASYNC_OPERATIONS
from graphsim.simulator import Simulator, SimulatorConfig, start
from graphsim.state import TenantState
from graphsim.tenants import Json, timestamp

Clock = Callable[[], float]
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_JSON = "application/json"
_ODATA = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def create_app(config: SimulatorConfig, *, clock: Clock = time.time) -> Starlette:
    """The application. ``clock`` gives the seconds since 1970 that tokens are issued and expire by.

    ``app.state.simulator`` is the ``Simulator`` behind it.
    """
    simulator = start(config)

    async def token(request: Request) -> Response:
        return await _token(simulator, request, clock())

    async def discovery(request: Request) -> Response:
        return _discovery(simulator, request, clock())

    async def graph_v1(request: Request) -> Response:
        return await _graph(simulator, request, clock())

    async def elsewhere(request: Request) -> Response:
        return _elsewhere(request, clock())

    app = Starlette(
        routes=[
            *control.routes(simulator),
            Route("/v1.0/{path:path}", graph_v1, methods=_METHODS),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery, methods=["GET"]),
            Route("/{path:path}", elsewhere, methods=_METHODS),
        ]
    )
    app.state.simulator = simulator
    return app


async def _token(simulator: Simulator, request: Request, at: float) -> Response:
    try:
        state = _tenant_of(simulator, request)
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        body = entra.grant(
            simulator.config.seed,
            state.tenant,
            form,
            at=at,
            lifetime=simulator.config.token_seconds,
            generation=state.token_generation,
        )
    except entra.TokenError as error:
        return Response(msgspec.json.encode(error.body(at)), status_code=error.status, media_type=_JSON)
    return Response(msgspec.json.encode(body), media_type=_JSON, headers={"Cache-Control": "no-store, no-cache"})


def _discovery(simulator: Simulator, request: Request, at: float) -> Response:
    try:
        state = _tenant_of(simulator, request)
    except entra.TokenError as error:
        return Response(msgspec.json.encode(error.body(at)), status_code=error.status, media_type=_JSON)
    body = entra.openid_configuration(state.tenant, str(request.base_url).rstrip("/"))
    return Response(msgspec.json.encode(body), media_type=_JSON)


def _tenant_of(simulator: Simulator, request: Request) -> TenantState:
    name = request.path_params["tenant"]
    state = None if name.isdigit() else simulator.find(name)
    if state is None:
        raise entra.unknown_tenant(name)
    return state


async def _graph(simulator: Simulator, request: Request, at: float) -> Response:
    request_id, client_request_id = _request_ids(request)
    headers = {"request-id": request_id, "client-request-id": client_request_id, "OData-Version": "4.0"}
    try:
        state = _authenticated(simulator, request, at)
        answer = await _answer(simulator, state, await _graph_request(request))
    except GraphError as error:
        refusal = _error_body(error, at, request_id, client_request_id)
        return Response(refusal, status_code=error.status, media_type=_JSON, headers={**headers, **error.headers})
    typed = {"Content-Type": _ODATA, "Cache-Control": "no-cache"} if answer.body else {}
    return Response(answer.body, status_code=answer.status, headers={**headers, **typed, **answer.headers})


async def _answer(simulator: Simulator, state: TenantState, request: GraphRequest) -> Answer:
    operation = graph.matching(ASYNC_OPERATIONS, graph.path_segments(request.path))
    if operation is None:
        return graph.answer(state, request)
    if not state.consent:
        raise consent_missing()
    return await operation(simulator, state, request)


def _authenticated(simulator: Simulator, request: Request, at: float) -> TenantState:
    claims = tokens.read(simulator.config.seed, request.headers.get("authorization", ""), at=at)
    state = simulator.find(claims.tid)
    if state is None or int(claims.uti.partition(".")[0]) < state.token_generation:
        raise invalid_token("Lifetime validation failed, the token is expired.")
    return state


async def _graph_request(request: Request) -> GraphRequest:
    return GraphRequest(
        path=request.path_params["path"],
        service=f"{request.base_url}v1.0",
        method=request.method,
        parameters=tuple(request.query_params.multi_items()),
        headers=dict(request.headers),
        body=await request.body(),
    )


def _elsewhere(request: Request, at: float) -> Response:
    version = request.path_params["path"].partition("/")[0]
    error = not_simulated("Graph beta") if version == "beta" else bad_request(f"Invalid version: {version}")
    request_id, client_request_id = _request_ids(request)
    headers = {"request-id": request_id, "client-request-id": client_request_id}
    body = _error_body(error, at, request_id, client_request_id)
    return Response(body, status_code=error.status, media_type=_JSON, headers=headers)


def _request_ids(request: Request) -> tuple[str, str]:
    request_id = str(uuid4())
    return request_id, request.headers.get("client-request-id") or request_id


def _error_body(error: GraphError, at: float, request_id: str, client_request_id: str) -> bytes:
    inner: Json = {
        "date": timestamp(datetime.fromtimestamp(at, UTC)).rstrip("Z"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    body: Json = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    return msgspec.json.encode(body)
