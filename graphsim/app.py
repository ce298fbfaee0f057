"""The simulator as an ASGI application: Entra's token endpoint, Graph v1.0 and the control routes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphsim import control, traffic_control
from graphsim.halopsa import app as halopsa
from graphsim.protocol.errors import GraphError, bad_request, invalid_token, not_simulated, unknown_identity
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.reading import batch
from graphsim.reading.dispatch import Caller, error_body, refusal, respond, run_into, strike
from graphsim.sign_in import authority, tokens
from graphsim.simulator import Simulator, SimulatorConfig, start
from graphsim.trouble.delivery import TroubledResponse
from graphsim.trouble.faults import Delivery
from graphsim.world.playing import played
from graphsim.world.state import TenantState

Clock = Callable[[], float]
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_JSON = "application/json"
_TROUBLED = tuple(delivery for delivery in Delivery if delivery is not Delivery.WHOLE)


def create_app(config: SimulatorConfig, *, clock: Clock = time.time) -> Starlette:
    """The application. ``clock`` gives the seconds since 1970 that tokens are issued and expire by.

    ``app.state.simulator`` is the ``Simulator`` behind it.
    """
    simulator = start(config, clock=clock)

    async def token(request: Request) -> Response:
        return await authority.token(simulator, request, clock())

    async def discovery(request: Request) -> Response:
        return authority.discovery(simulator, request, clock())

    async def graph_v1(request: Request) -> Response:
        return await _graph(simulator, request, clock())

    async def elsewhere(request: Request) -> Response:
        return _elsewhere(request, clock())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with simulator.notifier.running(), played(simulator.playback(), clock):
            yield

    app = Starlette(
        lifespan=lifespan,
        routes=[
            *traffic_control.routes(simulator),
            *control.routes(simulator),
            *halopsa.routes(simulator, clock),
            *control.unknown_routes(_METHODS),
            Route("/v1.0/{path:path}", graph_v1, methods=_METHODS),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery, methods=["GET"]),
            Route("/{path:path}", elsewhere, methods=_METHODS),
        ],
    )
    app.state.simulator = simulator
    return app


async def _graph(simulator: Simulator, request: Request, at: float) -> Response:
    request_id, client_request_id = _request_ids(request)
    try:
        state = _authenticated(simulator, request, at)
    except GraphError as error:
        return _refused(error, at, request_id, client_request_id)
    caller = Caller(simulator=simulator, state=state, at=at, request_id=request_id, client_request_id=client_request_id)
    return await _deliver(caller, await _graph_request(request))


async def _deliver(caller: Caller, request: GraphRequest) -> Response:
    trouble = strike(caller, request, _TROUBLED)
    answer = await _answer(caller, request)
    if trouble is None:
        return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
    return TroubledResponse(answer, trouble)


async def _answer(caller: Caller, request: GraphRequest) -> Answer:
    if request.path.strip("/").lower() != batch.PATH:
        return await respond(caller, request)
    try:
        run_into(strike(caller, request, (Delivery.WHOLE,)), request)
        return await batch.answer(caller, request)
    except GraphError as error:
        return refusal(caller, error)


def _authenticated(simulator: Simulator, request: Request, at: float) -> TenantState:
    claims = tokens.read(simulator.config.seed, request.headers.get("authorization", ""), at=at)
    state = simulator.find(claims.tid)
    if state is None or int(claims.uti.partition(".")[0]) < state.token_generation:
        raise invalid_token("Lifetime validation failed, the token is expired.")
    if not simulator.traffic.application(state.tenant.index).tenant_exists:
        raise unknown_identity()
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
    return _refused(error, at, *_request_ids(request))


def _refused(error: GraphError, at: float, request_id: str, client_request_id: str) -> Response:
    """What is said to those whose tenant isn't known."""
    headers = {"request-id": request_id, "client-request-id": client_request_id, **error.headers}
    body = error_body(error, at, request_id, client_request_id)
    return Response(body, status_code=error.status, media_type=_JSON, headers=headers)


def _request_ids(request: Request) -> tuple[str, str]:
    request_id = str(uuid4())
    return request_id, request.headers.get("client-request-id") or request_id
