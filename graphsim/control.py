"""The ``/_sim`` routes: not Graph, but the hand that moves the simulated world. Open to anyone who reaches them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphsim.directory.tenants import Json
from graphsim.simulator import Simulator
from graphsim.trouble.fault_rules import FaultBody
from graphsim.world import mutations, scenario, tenant_mutations
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError

Action = Callable[[TenantState, Request], Awaitable[Json]]
_Body = TypeVar("_Body")


async def _read(request: Request, of: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(await request.body(), type=of)
    except msgspec.DecodeError as error:
        raise ScenarioError(str(error)) from None


async def _show(state: TenantState, _request: Request) -> Json:
    return scenario.describe(state, secret=True)


async def _policy(state: TenantState, request: Request) -> Json:
    scenario.change_policy(state, request.path_params["id"], await _read(request, scenario.PolicyChange))
    return {}


async def _user(state: TenantState, request: Request) -> Json:
    scenario.change_user(state, request.path_params["id"], await _read(request, scenario.UserBody))
    return {}


async def _new_user(state: TenantState, _request: Request) -> Json:
    return {"id": scenario.create_user(state)}


async def _gone_user(state: TenantState, request: Request) -> Json:
    scenario.remove_user(state, request.path_params["id"])
    return {}


async def _consent(state: TenantState, request: Request) -> Json:
    tenant_mutations.set_consent(state, granted=(await _read(request, scenario.Consent)).granted)
    return {}


async def _units(state: TenantState, request: Request) -> Json:
    scenario.set_units(state, request.path_params["id"], await _read(request, scenario.Units))
    return {}


async def _fault(state: TenantState, request: Request) -> Json:
    scenario.add_fault(state, await _read(request, FaultBody))
    return {}


async def _faults(state: TenantState, _request: Request) -> Json:
    return {"faults": state.faults}


async def _no_faults(state: TenantState, _request: Request) -> Json:
    state.faults.clear()
    return {}


async def _expire_tokens(state: TenantState, _request: Request) -> Json:
    tenant_mutations.expire_tokens(state)
    return {}


async def _mutate(state: TenantState, request: Request) -> Json:
    return mutations.apply(state, await _read(request, mutations.Mutation))


async def _expire_pages(state: TenantState, _request: Request) -> Json:
    tenant_mutations.expire_pages(state)
    return {}


_ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET", "", _show),
    ("PATCH", "/policies/{id}", _policy),
    ("POST", "/users", _new_user),
    ("PATCH", "/users/{id}", _user),
    ("DELETE", "/users/{id}", _gone_user),
    ("PUT", "/consent", _consent),
    ("PUT", "/skus/{id}", _units),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _fault),
    ("DELETE", "/faults", _no_faults),
    ("POST", "/expire-tokens", _expire_tokens),
    ("POST", "/expire-pages", _expire_pages),
    ("POST", "/mutations", _mutate),
)
"""Method, path after ``/_sim/tenants/{tenant}`` (an id or a number) and what it does."""


def routes(simulator: Simulator) -> list[Route]:
    """The control routes of a simulator."""

    async def tenants(_request: Request) -> Response:
        listed = [scenario.describe(simulator.state(index)) for index in range(simulator.config.tenants)]
        return _answer(200, {"tenants": listed})

    async def vocabulary(_request: Request) -> Response:
        listed = [{"action": a.name, "about": a.about, "target": a.target, "takes": a.takes} for a in mutations.ACTIONS]
        return _answer(200, {"mutations": listed})

    async def progress(_request: Request) -> Response:
        steps = simulator.config.scenario.steps if simulator.config.scenario else ()
        played = simulator.played[-1] if simulator.played else None
        told: Json = {
            "steps": len(steps),
            "done": played.done if played else 0,
            "failed": played.failed if played else [],
        }
        return _answer(200, told)

    async def notified(_request: Request) -> Response:
        return _answer(200, asdict(simulator.notifier.tally))

    found = [
        Route("/_sim/scenario", progress, methods=["GET"]),
        Route("/_sim/notifications", notified, methods=["GET"]),
        Route("/_sim/tenants", tenants, methods=["GET"]),
        Route("/_sim/mutations", vocabulary, methods=["GET"]),
    ]
    for method, path, action in _ACTIONS:
        found.append(Route(f"/_sim/tenants/{{tenant}}{path}", _endpoint(simulator, action), methods=[method]))
    return found


def unknown_routes(methods: list[str]) -> list[Route]:
    """What is said of every other ``/_sim`` path and method; they come after all that are known."""

    async def unknown(request: Request) -> Response:
        return _answer(404, {"error": f"there is no {request.method} {request.url.path}: docs/graphsim.md has them"})

    return [Route(path, unknown, methods=methods) for path in ("/_sim", "/_sim/{path:path}")]


def _endpoint(simulator: Simulator, action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        state = simulator.find(request.path_params["tenant"])
        if state is None:
            return _answer(404, {"error": f"no tenant {request.path_params['tenant']}"})
        try:
            return _answer(200, await action(state, request))
        except ScenarioError as error:
            return _answer(400, {"error": str(error)})

    return endpoint


def _answer(status: int, body: Json) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
