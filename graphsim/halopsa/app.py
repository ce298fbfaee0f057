"""The routes of the simulated HaloPSA: ``/auth/token`` and ``/api/Client``, ``Site`` and ``ClientContract``.

It answers on the simulator's own host, beside Graph: a HaloPSA has no path before its own.

What HaloPSA can and the simulator cannot answers 501, never with a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphsim.directory.tenants import Json
from graphsim.halopsa import control, records
from graphsim.halopsa.access import grant, lets_in
from graphsim.halopsa.state import HaloFault
from graphsim.simulator import Simulator

_JSON = "application/json"
UNPAGED = 50
KNOWN = frozenset(
    {"pageinate", "page_size", "page_no", "order", "includeactive", "includeinactive", "includeazuretenants"}
)
LIST_NAMES: Mapping[str, str] = {"client": "clients", "site": "sites", "clientcontract": "contracts"}
"""Last part of the path, in any case of letters, to the name of the list in the answer."""


def routes(simulator: Simulator, clock: Callable[[], float]) -> list[Route]:
    """What answers on the simulator's own host, beside Graph."""

    async def token(request: Request) -> Response:
        return await _token(simulator, request, clock())

    async def lists(request: Request) -> Response:
        return _answer(simulator, request, clock())

    return [
        *control.routes(simulator),
        Route("/auth/token", token, methods=["POST"]),
        Route("/api/{name}", lists, methods=["GET", "POST"]),
    ]


async def _token(simulator: Simulator, request: Request, at: float) -> Response:
    fault = simulator.halopsa.take_fault("/auth/token")
    if fault is not None:
        return _failing(fault, {})
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    lifetime = simulator.config.token_seconds
    status, body = grant(simulator.config.seed, simulator.halopsa, form, at=at, lifetime=lifetime)
    return _json(status, body)


def _answer(simulator: Simulator, request: Request, at: float) -> Response:
    state = simulator.halopsa
    state.requests.append(f"{request.url.path}?{request.url.query}")
    if not lets_in(simulator.config.seed, state, request.headers.get("authorization", ""), at=at):
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    name = request.path_params["name"].lower()
    if name in {part.lower() for part in state.forbidden}:
        return Response(status_code=403)
    unknown = request.query_params.keys() - KNOWN
    if name not in LIST_NAMES or unknown or request.method != "GET":
        return _json(501, {"error": "not_simulated", "message": f"{request.method} {name} {sorted(unknown)}"})
    body = _page(simulator, name, request.query_params)
    fault = state.take_fault(request.url.path)
    return _json(200, body) if fault is None else _failing(fault, body)


def _failing(fault: HaloFault, body: Json) -> Response:
    if fault.status == 0:
        return Response(msgspec.json.encode(body)[:-2], media_type=_JSON)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Response(status_code=fault.status, headers=headers)


def _page(simulator: Simulator, name: str, query: Mapping[str, str]) -> Json:
    rows = [row for row in _rows(simulator, name) if _asked_for(row, query)]
    if query.get("includeazuretenants") != "true":
        rows = [{key: value for key, value in row.items() if key != "azure_tenants"} for row in rows]
    given = [row for row in rows if name != "client" or row["id"] not in simulator.halopsa.kept_back]
    answer: Json = {"record_count": len(rows)}
    if query.get("pageinate") == "true":
        size, number = int(query.get("page_size", UNPAGED)), int(query.get("page_no", 1))
        answer |= {"page_no": number, "page_size": size}
        given = given[(number - 1) * size : number * size]
    return answer | {LIST_NAMES[name]: given}


def _asked_for(row: Json, query: Mapping[str, str]) -> bool:
    return not row.get("inactive") or query.get("includeinactive") == "true"


def _rows(simulator: Simulator, name: str) -> list[Json]:
    tenants = [simulator.state(index).tenant for index in range(simulator.config.tenants)]
    if name == "client":
        return records.clients(tenants, simulator.halopsa)
    if name == "site":
        return records.sites(tenants, simulator.halopsa)
    return records.contracts(tenants, simulator.halopsa, simulator.config.seed, simulator.now)


def _json(status: int, body: Json) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type=_JSON)
