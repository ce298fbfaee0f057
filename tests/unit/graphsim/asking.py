"""A client of the simulator without a server between: what it asks passes limits and faults as over HTTP."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import msgspec

from graphsim.directory.tenants import Json
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.reading import batch
from graphsim.reading.dispatch import Caller, respond
from graphsim.simulator import Simulator, SimulatorConfig, start
from graphsim.trouble.fault_rules import read_rule
from tests.unit.graphsim.conftest import NOW, SERVICE


@dataclass
class Time:
    """A clock that stands until it is moved."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Client:
    """Asks one simulator; ``clock`` is the time of both."""

    simulator: Simulator
    clock: Time = field(default_factory=Time)

    def ask(self, url: str, *, tenant: int = 0, method: str = "GET", body: bytes = b"", priority: str = "") -> Answer:
        """The answer; ``priority`` is what Graph reads in ``x-ms-throttle-priority``."""
        parts = urlsplit(url)
        request = GraphRequest(
            path=parts.path,
            service=SERVICE,
            method=method,
            parameters=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={"x-ms-throttle-priority": priority} if priority else {},
            body=body,
        )
        caller = Caller(
            simulator=self.simulator,
            state=self.simulator.state(tenant),
            at=self.clock.now,
            request_id="r",
            client_request_id="c",
        )
        handler = batch.answer if parts.path == batch.PATH else respond
        return _finished(handler(caller, request))

    def batch(self, *items: Json) -> list[Json]:
        """The answers to a batch, in the order they come."""
        answer = self.ask("$batch", method="POST", body=msgspec.json.encode({"requests": items}))
        responses: list[Json] = msgspec.json.decode(answer.body)["responses"]
        return responses


def _finished(answering: Coroutine[None, None, Answer]) -> Answer:
    """What a coroutine returns that waits for nothing: an event loop for each request would take most of the time."""
    try:
        answering.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    raise AssertionError("the simulator waits for somebody")


def client(config: SimulatorConfig) -> Client:
    """A client of a new simulator, both with a clock that stands."""
    clock = Time()
    return Client(start(config, clock=clock), clock)


def config(
    *, users: int = 200, throttle: bool = False, factor: float = 1.0, faults: tuple[str, ...] = ()
) -> SimulatorConfig:
    """One simulator of two tenants; ``faults`` are written as on the command line."""
    return SimulatorConfig(
        seed="tests",
        tenants=2,
        users=users,
        now=NOW,
        throttle=throttle,
        throttle_factor=factor,
        faults=tuple(read_rule(text) for text in faults),
    )
