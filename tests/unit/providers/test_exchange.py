"""Requests under a limiter: what they wait for, what they hold meanwhile, and what answers tell the limiter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from pipeline.errors import DeadlineExceededError, ProviderUnavailableError, ThrottledError
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.throttling.limiter import Limiter, Turn
from pipeline.providers.microsoft365.throttling.store import LocalStore
from pipeline.providers.retry import Clock
from tests.unit.providers.conftest import HOST, ScriptedGraph

T = TypeVar("T")
POLICIES = "/identity/conditionalAccess/policies"
USERS = "/users?$select=id"


@dataclass
class Limited:
    """A client of the scripted Graph under a limiter of its own."""

    graph: ScriptedGraph
    sleep: Callable[[float], Awaitable[None]] | None = None
    store: LocalStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = LocalStore(monotonic=lambda: self.graph.time.now)

    @property
    def clock(self) -> Clock:
        clock = self.graph.time.clock()
        return Clock(monotonic=clock.monotonic, sleep=self.sleep or clock.sleep, random=clock.random)

    def limiter(self) -> Limiter:
        return Limiter(self.store, app="a", tenant="t", clock=self.clock)

    def run(self, work: Callable[[GraphClient], Awaitable[T]], *, deadline: float | None = None) -> T:
        async def go() -> T:
            app = Starlette(routes=[Route("/{path:path}", self.graph.respond, methods=["GET", "POST"])])
            async with asyncio.timeout(10), httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as http:
                client = GraphClient(
                    http,
                    self.graph.tokens,
                    base_url=HOST,
                    limiter=self.limiter(),
                    deadline=deadline,
                    concurrency=1,
                    clock=self.clock,
                )
                return await work(client)

        return asyncio.run(go())

    def turn(self, url: str) -> Turn:
        """What another process would be told."""
        limiter = self.limiter()
        return asyncio.run(limiter.admit(limiter.turn([url]), time_left=1e9))


@pytest.fixture
def limited(graph: ScriptedGraph) -> Limited:
    graph.otherwise = graph.page()
    return Limited(graph)


def test_requests_of_the_narrow_bucket_wait_for_each_other(limited: Limited) -> None:
    async def work(client: GraphClient) -> float:
        for _ in range(3):
            await client.read_object(POLICIES)
        return client.tally.seconds_waited

    waited = limited.run(work)
    assert waited == limited.graph.time.now
    assert waited >= 2
    assert len(limited.graph.requests) == 3


def test_who_waits_for_his_turn_holds_no_connection(graph: ScriptedGraph) -> None:
    """There is one connection; the sleeper sleeps until somebody else has used it."""
    graph.otherwise = graph.page()
    asleep, others_are_done = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await others_are_done.wait()
        graph.time.now += seconds

    async def work(client: GraphClient) -> None:
        await client.read_object(POLICIES)
        waiting = asyncio.create_task(client.read_object(POLICIES))
        await asleep.wait()
        await client.read_object(USERS)
        others_are_done.set()
        await waiting

    Limited(graph, sleep=sleep).run(work)
    assert [request.url.path for request in graph.requests][1:] == ["/v1.0/users", f"/v1.0{POLICIES}"]


def test_a_turn_behind_the_deadline_is_not_waited_for(limited: Limited) -> None:
    async def work(client: GraphClient) -> None:
        await client.read_object(POLICIES)
        await client.read_object(POLICIES)

    with pytest.raises(DeadlineExceededError):
        limited.run(work, deadline=1.0)
    assert limited.graph.time.slept == []
    assert len(limited.graph.requests) == 1


@pytest.mark.parametrize(("headers", "held"), [({"Retry_After": "7"}, 7.0), ({}, 1.0)])
def test_a_429_holds_everybody_back(limited: Limited, headers: dict[str, str], held: float) -> None:
    limited.graph.on("/users", limited.graph.error(429, "x", **headers))

    async def work(client: GraphClient) -> int:
        with pytest.raises(ThrottledError):
            await client.read_object(USERS)
        return client.tally.throttled

    assert limited.run(work, deadline=0.4) == 1
    assert limited.turn(USERS).wait == pytest.approx(held, abs=0.1)
    assert limited.turn(POLICIES).wait == 0


def test_what_answers_tell_of_the_limit_slows_everybody_down(limited: Limited) -> None:
    answer = limited.graph.page()
    answer.headers["x-ms-throttle-limit-percentage"] = "1.6"
    limited.graph.on("/users", answer)

    def last_wait() -> float:
        return [limited.turn(USERS).wait for _ in range(200)][-1]

    before = last_wait()
    limited.graph.time.now += 100
    limited.run(lambda client: client.read_object(USERS))
    assert last_wait() > 1.5 * before


@pytest.mark.parametrize("told", ["", "much", "nan", "0.79"])
def test_what_is_no_news_changes_nothing(limited: Limited, told: str) -> None:
    answer = limited.graph.page()
    answer.headers["x-ms-throttle-limit-percentage"] = told
    limited.graph.on("/users", answer)
    assert limited.run(lambda client: client.read_object(USERS)) == answer.body


def test_a_batch_pays_for_what_is_in_it(limited: Limited) -> None:
    limited.graph.on("/$batch", limited.graph.page())
    items = [f"/groups/{number}/transitiveMembers" for number in range(20)]

    async def work(client: GraphClient) -> float:
        for _ in range(9):
            await client.post_json("/$batch", b'{"requests": []}', items=items)
        return client.tally.seconds_waited

    assert limited.run(work) > 8 * 100 / (0.9 * 350 * 0.25) - 2
    assert {request.method for request in limited.graph.requests} == {"POST"}


def test_a_slow_answer_does_not_outlast_the_deadline(graph: ScriptedGraph) -> None:
    """The clock of the deadline is the test's; the seconds that the answer takes are real."""

    async def never(scope: object, receive: object, send: object) -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        async with asyncio.timeout(5), httpx.AsyncClient(transport=httpx.ASGITransport(app=never)) as http:
            client = GraphClient(http, graph.tokens, base_url=HOST, deadline=0.05, clock=graph.time.clock())
            await client.read_object(USERS)

    with pytest.raises(ProviderUnavailableError):
        asyncio.run(work())
    assert graph.time.slept == []
