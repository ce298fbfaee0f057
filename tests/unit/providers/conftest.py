"""A Graph that answers by script, in process."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.providers.microsoft365.client import GraphClient
from tests.sleeping import Time

T = TypeVar("T")
HOST = "https://graph.test"


@dataclass
class Tokens:
    """Numbered tokens."""

    issued: int = 0

    def token(self) -> str:
        self.issued += 1
        return f"token-{self.issued}"

    def replace(self, rejected: str) -> str:
        assert rejected == f"token-{self.issued}"
        return self.token()


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ScriptedGraph:
    """Answers given in turn for each path (without version and query), the last one again and again.

    A batch is answered item by item, in reverse order, where ``/$batch`` has no answer of its own.
    """

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    otherwise: Answer | None = None
    requests: list[Request] = field(default_factory=list)
    time: Time = field(default_factory=Time)
    tokens: Tokens = field(default_factory=Tokens)
    turns: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    batches: list[list[str]] = field(default_factory=list)
    """The items' paths with their queries, batch by batch."""

    @staticmethod
    def page(*values: object, next_link: str | None = None) -> Answer:
        body: dict[str, object] = {"value": values} | ({"@odata.nextLink": next_link} if next_link else {})
        return Answer(200, json.dumps(body).encode())

    @staticmethod
    def delta(*values: object, link: str = "", next_link: str | None = None) -> Answer:
        """A page of a round, its last unless there is a next."""
        last = {"@odata.nextLink": next_link} if next_link else {"@odata.deltaLink": link or f"{HOST}/v1.0/later"}
        return Answer(200, json.dumps({"value": values, **last}).encode())

    @staticmethod
    def error(status: int, code: str, **headers: str) -> Answer:
        body = json.dumps({"error": {"code": code, "message": "for people only", "innerError": {}}}).encode()
        return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    @staticmethod
    def raw(body: bytes, status: int = 200) -> Answer:
        return Answer(status, body)

    def on(self, path: str, *answers: Answer) -> ScriptedGraph:
        self.answers[path] = list(answers)
        return self

    async def respond(self, request: Request) -> Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/v1.0")
        sent = await request.body()
        answer = self._batch(json.loads(sent)["requests"]) if path == "/$batch" else self._turn(path)
        return Response(answer.body, answer.status, answer.headers)

    def _batch(self, items: list[dict[str, str]]) -> Answer:
        self.batches.append([item["url"] for item in items])
        if "/$batch" in self.answers:
            return self._turn("/$batch")
        answered = [(item["id"], self._turn(item["url"].partition("?")[0])) for item in reversed(items)]
        responses = [
            {"id": key, "status": answer.status, "headers": answer.headers, "body": json.loads(answer.body)}
            for key, answer in answered
        ]
        return Answer(200, json.dumps({"responses": responses}).encode())

    def _turn(self, path: str) -> Answer:
        script = self.answers.get(path) or ([self.otherwise] if self.otherwise else [])
        assert script, f"no answer for {path}"
        answer = script[min(self.turns[path], len(script) - 1)]
        self.turns[path] += 1
        return answer

    def run(
        self,
        work: Callable[[GraphClient], Coroutine[None, None, T]],
        *,
        deadline: float | None = None,
        low: bool = False,
    ) -> T:
        """The result of ``work`` with a client of this Graph."""

        async def go() -> T:
            app = Starlette(routes=[Route("/{path:path}", self.respond, methods=["GET", "POST"])])
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as http:
                client = GraphClient(
                    http, self.tokens, base_url=HOST, deadline=deadline, scheduled=low, clock=self.time.clock()
                )
                return await work(client)

        return asyncio.run(go())


@pytest.fixture
def graph() -> ScriptedGraph:
    return ScriptedGraph()
