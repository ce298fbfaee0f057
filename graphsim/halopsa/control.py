"""The ``/_sim/halopsa`` routes: not HaloPSA, but the hand that changes it. Open to anyone who reaches them."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphsim.directory.tenants import Json
from graphsim.halopsa import records
from graphsim.halopsa.access import credentials
from graphsim.halopsa.state import HaloFault
from graphsim.simulator import Simulator

ROOT = "/_sim/halopsa"


class ClientBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A client as it is to be."""

    name: str
    inactive: bool = False
    azure_tenant_id: str = ""


class FaultBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A ``HaloFault`` as it is asked for."""

    status: int
    path_contains: str = ""
    times: int = 1
    retry_after: int | None = None


def routes(simulator: Simulator) -> list[Route]:
    """How to sign in, clients to write and take away, and faults to meet."""
    state = simulator.halopsa

    async def show(_request: Request) -> Response:
        return _answer(200, msgspec.to_builtins(credentials(simulator.config.seed)))

    async def client(request: Request) -> Response:
        number = int(request.path_params["id"])
        if request.method == "DELETE":
            state.removed.add(number)
            return _answer(200, {})
        try:
            body = msgspec.json.decode(await request.body(), type=ClientBody)
        except msgspec.DecodeError as error:
            return _answer(400, {"error": str(error)})
        state.removed.discard(number)
        state.clients[number] = records.client(number, body.name) | {
            "inactive": body.inactive,
            "azure_tenant_id": body.azure_tenant_id,
        }
        return _answer(200, state.clients[number])

    async def fault(request: Request) -> Response:
        try:
            body = msgspec.json.decode(await request.body(), type=FaultBody)
        except msgspec.DecodeError as error:
            return _answer(400, {"error": str(error)})
        state.faults.append(HaloFault(**msgspec.structs.asdict(body)))
        return _answer(200, {})

    return [
        Route(ROOT, show, methods=["GET"]),
        Route(f"{ROOT}/clients/{{id:int}}", client, methods=["PUT", "DELETE"]),
        Route(f"{ROOT}/faults", fault, methods=["POST"]),
    ]


def _answer(status: int, body: Json) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
