"""Tenants for the simulator's tests, made on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from graphsim.directory.tenants import Json, generate
from graphsim.protocol.exchange import GraphRequest
from graphsim.reading.graph import answer
from graphsim.world.state import TenantState

NOW = datetime(2026, 9, 1, tzinfo=UTC)
SERVICE = "https://graph.test/v1.0"


class Answer(msgspec.Struct):
    """What the tests look at in a list's page."""

    value: list[Json]
    context: str = msgspec.field(name="@odata.context")
    link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    count: int | None = msgspec.field(name="@odata.count", default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """One tenant and a way to ask it things as a client would."""

    state: TenantState

    def raw(self, url: str, *, method: str = "GET", eventual: bool = False) -> bytes:
        """The body of the answer to a path with query, or to an absolute link."""
        parts = urlsplit(url.removeprefix(SERVICE + "/"))
        return answer(
            self.state,
            GraphRequest(
                path=parts.path,
                service=SERVICE,
                method=method,
                parameters=tuple(parse_qsl(parts.query, keep_blank_values=True)),
                headers={"consistencylevel": "eventual"} if eventual else {},
            ),
        ).body

    def get(self, url: str, *, eventual: bool = False) -> Answer:
        return msgspec.json.decode(self.raw(url, eventual=eventual), type=Answer)

    def pages(self, url: str, *, eventual: bool = False) -> Iterator[Answer]:
        following: str | None = url
        while following:
            page = self.get(following, eventual=eventual)
            yield page
            following = page.link

    def all(self, url: str, *, eventual: bool = False) -> list[Json]:
        return [body for page in self.pages(url, eventual=eventual) for body in page.value]


MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def make_world() -> MakeWorld:
    """``make_world(index=0, size=200, seed="tests")``: tenants 0 to 6 have the seven postures, in their order."""

    def make(index: int = 0, size: int = 200, seed: str = "tests") -> World:
        return World(state=TenantState(tenant=generate(seed=seed, index=index, size=size, now=NOW)))

    return make
