"""A client that follows delta links and keeps what Microsoft's pages tell clients to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from graphsim.clock import WorldClock
from graphsim.directory.tenants import Json, generate
from graphsim.protocol.errors import GraphError
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.reading.graph import answer
from graphsim.world import mutations
from graphsim.world.mutations import Mutation
from graphsim.world.state import TenantState
from tests.unit.graphsim.conftest import NOW, SERVICE


class Page(msgspec.Struct):
    value: list[Json]
    context: str = msgspec.field(name="@odata.context")
    next_link: str = msgspec.field(name="@odata.nextLink", default="")
    delta_link: str = msgspec.field(name="@odata.deltaLink", default="")


@dataclass(kw_only=True)
class Client:
    """A tenant, and a store that is kept as Microsoft's pages tell clients to."""

    state: TenantState
    prefer: str = ""
    stored: dict[str, Json] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def raw(self, url: str) -> Answer:
        parts = urlsplit(url.removeprefix(SERVICE + "/"))
        parameters = tuple(parse_qsl(parts.query, keep_blank_values=True))
        headers: Mapping[str, str] = {"prefer": self.prefer}
        return answer(
            self.state, GraphRequest(path=parts.path, service=SERVICE, parameters=parameters, headers=headers)
        )

    def page(self, url: str) -> Page:
        return msgspec.json.decode(self.raw(url).body, type=Page)

    def round(self, url: str) -> tuple[str, list[Json]]:
        """Reads and merges all pages; the next delta link and everything told."""
        told: list[Json] = []
        while True:
            page = self.page(url)
            told += page.value
            for body in page.value:
                self.merge(body)
            if page.delta_link:
                return page.delta_link, told
            url = page.next_link

    def merge(self, body: Json) -> None:
        key = str(body["id"])
        if "@removed" in body:
            self.stored.pop(key, None)
            self.members.pop(key, None)
            return
        self.stored[key] = self.stored.get(key, {}) | {n: v for n, v in body.items() if n != "members@delta"}
        inside = self.members.setdefault(key, set())
        for entry in msgspec.convert(body.get("members@delta", []), list[Json]):
            (inside.discard if "@removed" in entry else inside.add)(str(entry["id"]))

    def do(self, action: str, key: str | int = "", **values: object) -> str:
        return str(mutations.apply(self.state, Mutation(action, key, dict(values)))["id"])

    def listed(self, url: str) -> list[Json]:
        found: list[Json] = []
        while url:
            page = self.page(url)
            found += page.value
            url = page.next_link
        return found


def client(index: int = 1, size: int = 130, prefer: str = "", seconds: list[float] | None = None) -> Client:
    clock = WorldClock(source=lambda: seconds[0]) if seconds else None
    tenant = generate(seed="tests", index=index, size=size, now=NOW)
    return Client(state=TenantState(tenant=tenant, clock=clock), prefer=prefer)


def refusal(world: Client, url: str) -> GraphError:
    with pytest.raises(GraphError) as refused:
        world.raw(url)
    return refused.value
