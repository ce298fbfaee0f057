"""The simulated HaloPSA: the same for the same seed, paged as HaloPSA pages, closed to whoever has no token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from graphsim.app import create_app
from graphsim.halopsa import records
from graphsim.halopsa.access import credentials
from graphsim.halopsa.state import HaloFault
from graphsim.simulator import Simulator, SimulatorConfig

CONFIG = SimulatorConfig(seed="tests", tenants=20, users=5, now=datetime(2026, 1, 2, tzinfo=UTC))
PAGED = {"pageinate": "true", "page_size": "7", "includeinactive": "true"}


@dataclass
class World:
    """A simulator and a clock that stands still."""

    at: float = 1000.0
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(CONFIG, clock=lambda: self.at)

    @property
    def simulator(self) -> Simulator:
        found: Simulator = self.app.state.simulator
        return found

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://halo.test") as http:
                return await http.request(method, path, **more)

        return asyncio.run(asked())

    def token(self, **change: str) -> httpx.Response:
        known = credentials(CONFIG.seed)
        form = {"grant_type": "client_credentials", "scope": "all", "client_id": known.client_id}
        return self.ask("POST", "/auth/token", data={**form, "client_secret": known.client_secret, **change})

    def get(self, name: str, **query: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.token().json()['access_token']}"}
        return self.ask("GET", f"/api/{name}", params=query, headers=bearer)

    def all(self, name: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number in range(1, 99):
            body = self.get(name, **PAGED, page_no=str(number), includeazuretenants="true").json()
            found += body[key]
            if not body[key]:
                assert len(found) == body["record_count"]
                return found
        raise AssertionError("the list has no end")


@pytest.fixture
def world() -> World:
    return World()


def test_the_same_seed_gives_the_same_psa(world: World) -> None:
    for name, key in (("Client", "clients"), ("Site", "sites"), ("ClientContract", "contracts")):
        found = world.all(name, key)
        assert found == World().all(name, key)
        assert [one["id"] for one in found] == sorted({one["id"] for one in found})


def test_most_tenants_have_a_client_that_can_be_told_in_one_of_four_ways(world: World) -> None:
    clients = {one["id"]: one for one in world.all("Client", "clients")}
    domains = {one["client_id"]: one["emaildomain"] for one in world.all("Site", "sites") if one["emaildomain"]}
    for index in range(CONFIG.tenants):
        tenant, number = world.simulator.state(index).tenant, records.client_id(index)
        way = index % 5
        if way == records.NO_CLIENT:
            assert number not in clients
            continue
        known = {
            records.CONNECTED: [one["azure_tenant_id"] for one in clients[number]["azure_tenants"]] == [tenant.id],
            records.BY_DOMAIN: domains.get(number) == tenant.domain,
            records.BY_NAME: clients[number]["name"] == tenant.name and not clients[number]["azure_tenants"],
            records.BY_FIELD: clients[number]["azure_tenant_id"].lower() == tenant.id,
        }
        assert known[way]
    assert sum(number >= records.FIRST_PROSPECT for number in clients) > 1


def test_what_is_not_asked_for_is_not_given(world: World) -> None:
    active = world.get("Client").json()
    assert active["record_count"] == len(active["clients"])
    assert not any(one["inactive"] or "azure_tenants" in one for one in active["clients"])
    assert world.get("Client", search="x").status_code == 501
    assert world.get("Invoice").status_code == 501


def test_who_has_no_good_token_stays_out(world: World) -> None:
    assert world.ask("GET", "/api/Client").status_code == 401
    bearer = {"Authorization": f"Bearer {world.token().json()['access_token']}"}
    assert world.ask("GET", "/api/Client", headers=bearer).status_code == 200
    forged = {"Authorization": bearer["Authorization"][:-1] + "?"}
    assert world.ask("GET", "/api/Client", headers=forged).status_code == 401
    world.at += CONFIG.token_seconds
    assert world.ask("GET", "/api/Client", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_id": "x"}, "invalid_client"),
        ({"scope": "some"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_is_refused_with_oauths_code(world: World, change: dict[str, str], error: str) -> None:
    refused = world.token(**change)
    assert (refused.status_code, refused.json()) == (400, {"error": error})


def test_a_fault_is_met_as_often_as_it_was_set(world: World) -> None:
    world.simulator.halopsa.faults.append(HaloFault(path_contains="Site", status=429, times=2, retry_after=3))
    answers = [world.get("Site") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "3"


def test_by_hand_a_client_comes_changes_and_goes(world: World) -> None:
    assert world.ask("GET", "/_sim/halopsa").json()["client_id"] == credentials(CONFIG.seed).client_id
    body = {"name": "Fabrikam", "azure_tenant_id": "guid"}
    assert world.ask("PUT", "/_sim/halopsa/clients/7", json=body).status_code == 200
    assert {"Fabrikam"} == {one["name"] for one in world.all("Client", "clients") if one["id"] == 7}
    assert world.ask("PUT", "/_sim/halopsa/clients/7", json={"nam": "x"}).status_code == 400
    world.ask("DELETE", "/_sim/halopsa/clients/7")
    assert 7 not in {one["id"] for one in world.all("Client", "clients")}
    world.ask("POST", "/_sim/halopsa/faults", json={"status": 503, "path_contains": "Client"})
    assert [world.get("Client").status_code for _ in range(2)] == [503, 200]


def test_records_that_are_kept_back_are_counted_all_the_same(world: World) -> None:
    before = world.get("Client").json()
    world.simulator.halopsa.kept_back = {records.client_id(0)}
    after = world.get("Client").json()
    assert after["record_count"] == before["record_count"] == len(after["clients"]) + 1
