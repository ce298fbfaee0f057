"""Entra's addresses over HTTP: the token endpoint, with the trouble ordered for it, and discovery."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from graphsim.directory.tenants import Json
from graphsim.protocol.exchange import Answer
from graphsim.sign_in import entra
from graphsim.sign_in.oauth_errors import TokenError, transient, unknown_tenant
from graphsim.simulator import Simulator
from graphsim.trouble.delivery import TroubledResponse
from graphsim.trouble.faults import Delivery, Fault, take
from graphsim.world.state import TenantState

_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store, no-cache"}


async def token(simulator: Simulator, request: Request, at: float) -> Response:
    """A token, or why there is none. Only faults whose path names this address (``/oauth2``) trouble it."""
    try:
        state = _tenant_of(simulator, request)
    except TokenError as error:
        return _sent(_refusal(error, at))
    fault = _fault(simulator, state, request.url.path)
    if fault and fault.delivery is Delivery.WHOLE:
        return _sent(_refusal(transient(fault.status), at, fault))
    try:
        answer = Answer(body=msgspec.json.encode(await _granted(simulator, state, request, at)), headers=_HEADERS)
    except TokenError as error:
        answer = _refusal(error, at)
    return TroubledResponse(answer, fault) if fault else _sent(answer)


def discovery(simulator: Simulator, request: Request, at: float) -> Response:
    """Where the tenant's endpoints are."""
    try:
        state = _tenant_of(simulator, request)
    except TokenError as error:
        return _sent(_refusal(error, at))
    body = entra.openid_configuration(state.tenant, str(request.base_url).rstrip("/"))
    return _sent(Answer(body=msgspec.json.encode(body), headers=_HEADERS))


async def _granted(simulator: Simulator, state: TenantState, request: Request, at: float) -> Json:
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    return entra.grant(
        simulator.config.seed,
        state,
        simulator.traffic.application(state.tenant.index),
        entra.TokenRequest(form=form, address=str(request.url), at=at),
        lifetime=simulator.config.token_seconds,
    )


def _tenant_of(simulator: Simulator, request: Request) -> TenantState:
    name = request.path_params["tenant"]
    state = None if name.isdigit() else simulator.find(name)
    if state is None or not simulator.traffic.application(state.tenant.index).tenant_exists:
        raise unknown_tenant(name)
    return state


def _fault(simulator: Simulator, state: TenantState, path: str) -> Fault | None:
    ordered = (state.faults, simulator.traffic.faults)
    found = (take(each, seed=simulator.config.seed, path=path, named=True) for each in ordered)
    return next((fault for fault in found if fault), None)


def _refusal(error: TokenError, at: float, fault: Fault | None = None) -> Answer:
    after = {} if fault is None or fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Answer(status=error.status, body=msgspec.json.encode(error.body(at)), headers={**_HEADERS, **after})


def _sent(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))
