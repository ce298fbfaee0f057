"""The ``/_sim`` routes that move what stands before the tenants: limits, faults, the application's standing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphsim.simulator import Simulator
from graphsim.trouble.fault_rules import FaultBody, made
from graphsim.trouble.meter import KEPT_SECONDS
from graphsim.world.enterprise_application import EnterpriseApplication

Action = Callable[[Request], Awaitable[Mapping[str, object]]]
_Body = TypeVar("_Body")
_TENANT = "/_sim/tenants/{tenant}"


class ThrottleBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whether limits are enforced, and the factor that scales the resource units."""

    enforced: bool
    factor: float = 1.0


class ApplicationBody(msgspec.Struct, forbid_unknown_fields=True):
    """``enabled``: may it sign in. ``tenant_exists``: does Entra know the tenant."""

    enabled: bool | None = None
    tenant_exists: bool | None = None


class CertificateBody(msgspec.Struct, forbid_unknown_fields=True):
    """A certificate to sign in with, in PEM."""

    pem: str


def routes(simulator: Simulator) -> list[Route]:
    """They come before the routes of ``control``, whose ``faults`` are a tenant's own."""

    async def meter(request: Request) -> Mapping[str, object]:
        seconds = float(request.query_params.get("seconds", KEPT_SECONDS))
        if not 0 < seconds <= KEPT_SECONDS:
            raise ValueError(f"the meter remembers {KEPT_SECONDS} seconds, not {seconds}")
        readings = simulator.meter(_index(simulator, request), seconds=seconds)
        return {bucket.value: reading for bucket, reading in readings.items()}

    async def throttle(request: Request) -> Mapping[str, object]:
        body = await _read(request, ThrottleBody)
        if not 0 < body.factor <= 1:
            raise ValueError(f"resource units are scaled by more than 0 and at most 1, not {body.factor}")
        simulator.traffic.throttle.enforced, simulator.traffic.throttle.factor = body.enforced, body.factor
        return {}

    async def new_fault(request: Request) -> Mapping[str, object]:
        simulator.traffic.faults.append(made(await _read(request, FaultBody)))
        return {}

    async def faults(_request: Request) -> Mapping[str, object]:
        return {"faults": simulator.traffic.faults}

    async def no_faults(_request: Request) -> Mapping[str, object]:
        simulator.traffic.faults.clear()
        return {}

    async def application(request: Request) -> Mapping[str, object]:
        _change(simulator.traffic.application(_index(simulator, request)), await _read(request, ApplicationBody))
        return {}

    async def certificate(request: Request) -> Mapping[str, object]:
        simulator.register_certificate(_index(simulator, request), (await _read(request, CertificateBody)).pem)
        return {}

    return [
        Route(f"{_TENANT}/meter", _endpoint(meter), methods=["GET"]),
        Route("/_sim/throttle", _endpoint(throttle), methods=["PUT"]),
        Route("/_sim/faults", _endpoint(faults), methods=["GET"]),
        Route("/_sim/faults", _endpoint(new_fault), methods=["POST"]),
        Route("/_sim/faults", _endpoint(no_faults), methods=["DELETE"]),
        Route(f"{_TENANT}/application", _endpoint(application), methods=["PUT"]),
        Route(f"{_TENANT}/certificate", _endpoint(certificate), methods=["POST"]),
    ]


def _change(application: EnterpriseApplication, body: ApplicationBody) -> None:
    if body.enabled is not None:
        application.enabled = body.enabled
    if body.tenant_exists is not None:
        application.tenant_exists = body.tenant_exists


async def _read(request: Request, of: type[_Body]) -> _Body:
    return msgspec.json.decode(await request.body(), type=of)


def _index(simulator: Simulator, request: Request) -> int:
    state = simulator.find(request.path_params["tenant"])
    if state is None:
        raise LookupError(f"no tenant {request.path_params['tenant']}")
    return state.tenant.index


def _endpoint(action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return _answer(200, await action(request))
        except LookupError as error:
            return _answer(404, {"error": str(error)})
        except (ValueError, msgspec.DecodeError) as error:
            return _answer(400, {"error": str(error)})

    return endpoint


def _answer(status: int, body: Mapping[str, object]) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
