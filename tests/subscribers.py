"""Tenants whose Microsoft Graph keeps subscriptions, and what keeps those for the pipeline."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import httpx
from sqlalchemy import text

from pipeline import wiring
from pipeline.domain.runs import DataSource, Scope
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.subscriptions import Microsoft365Subscriptions
from pipeline.providers.retry import RetryPolicy
from pipeline.stages.subscriptions import Keeper
from pipeline.storage import tenants
from pipeline.storage.database import Database
from pipeline.storage.schedules import Debounce

URL = "https://pipeline.example.com"
NOW = wiring.now().replace(microsecond=0)
DIRECTORY = "11111111-1111-1111-1111-{:012d}"


class AnyToken:
    """A tenant that lets everybody in."""

    def token(self) -> str:
        return "token"

    def replace(self, rejected: str) -> str:
        return rejected


@dataclass(slots=True)
class Graph:
    """One tenant's ``/subscriptions`` as Microsoft documents them, without deliveries."""

    directory_id: str
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    refuse: int = 0
    """A status every request is refused with."""
    retry_after: int | None = None
    """Seconds that a refusal asks for."""
    lose_answers: bool = False
    """Requests are done, and the connection breaks before the answer."""
    unreachable: Exception | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.method] += 1
        if self.refuse:
            asked = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
            return httpx.Response(self.refuse, json={"error": {"code": "Refused"}}, headers=asked)
        found = self._done(request.method, request.url.path.removeprefix("/v1.0"), request.content)
        if self.lose_answers:
            raise httpx.ReadError("cut", request=request)
        return found

    def _done(self, method: str, path: str, content: bytes) -> httpx.Response:
        if path == "/organization":
            return httpx.Response(200, json={"value": [{"id": self.directory_id}]})
        known = path.removeprefix("/subscriptions/")
        if method == "GET":
            return httpx.Response(200, json={"value": [{**one, "clientState": None} for one in self.held.values()]})
        if method == "POST":
            made = {**json.loads(content), "id": str(uuid4())}
            self.held[made["id"]] = made
            return httpx.Response(201, json=made)
        if known not in self.held:
            return httpx.Response(404, json={"error": {"code": "ResourceNotFound"}})
        if method == "DELETE":
            del self.held[known]
            return httpx.Response(204)
        self.held[known] |= json.loads(content)
        return httpx.Response(200, json=self.held[known])

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[GraphClient]:
        if self.unreachable:
            raise self.unreachable
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.answer)) as http:
            retry = RetryPolicy(attempts=1)
            yield GraphClient(http, AnyToken(), base_url="https://graph.example.com", retry=retry)


@dataclass(slots=True)
class Tenants:
    """Tenants with a Graph each, and what keeps their subscriptions."""

    database: Database
    keeper: Keeper
    graphs: dict[str, Graph]

    def add(self, number: int, external: str = "", provider: str = "microsoft365") -> Scope:
        directory = DIRECTORY.format(number)
        self.graphs[external or directory] = Graph(directory_id=directory)
        with self.database.begin() as connection:
            tenant = tenants.add_tenant(connection, f"tenant-{number}")
            source = tenants.NewSource(
                provider=provider,
                external_tenant_id=external or directory,
                client_id="client",
                credentials=b"",
            )
            return tenants.add_source(connection, tenant, source, NOW)

    def graph(self, number: int) -> Graph:
        return self.graphs[DIRECTORY.format(number)]

    def rows(self, columns: str) -> list[tuple[object, ...]]:
        statement = text(f"SELECT {columns} FROM notification_subscriptions ORDER BY source_id, resource")  # noqa: S608 - the test's own columns
        with self.database.begin() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def do(self, statement: str, **values: object) -> None:
        with self.database.begin() as connection:
            connection.execute(text(statement), values)

    def requested(self) -> list[tuple[object, ...]]:
        with self.database.begin() as connection:
            found = connection.execute(text("SELECT source_id, sync_types FROM pending_triggers ORDER BY source_id"))
            return [tuple(row) for row in found]


def tenants_in(database: Database) -> Tenants:
    """No tenant yet."""
    graphs: dict[str, Graph] = {}

    def opened(source: DataSource) -> Microsoft365Subscriptions:
        return Microsoft365Subscriptions(graphs[source.external_tenant_id].connected)

    debounce = Debounce(quiet=timedelta(seconds=5), limit=timedelta(minutes=5))
    keeper = Keeper(database=database, open_subscriptions=opened, url=URL, debounce=debounce)
    return Tenants(database=database, keeper=keeper, graphs=graphs)
