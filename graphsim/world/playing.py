"""Scenario files: steps that happen to tenants at their times, faster than life when wanted.

``clock: {speed: 60}`` makes a minute of the scenario pass in a second. Only the steps are sped up: dates in the
simulated world, tokens and subscriptions keep the clients' time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from graphsim.world import mutations
from graphsim.world.actions import Values
from graphsim.world.mutations import Mutation
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """``at`` is in seconds of the scenario; ``tenant`` an id or a number."""

    at: float
    tenant: str
    mutation: Mutation


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Steps in the order of their times."""

    steps: tuple[Step, ...]
    speed: float = 1.0


class _Clock(msgspec.Struct, forbid_unknown_fields=True):
    speed: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    at: str | int | float
    tenant: str | int
    action: str
    id: str | int = ""
    set: Values = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    steps: list[dict[str, object]]
    clock: _Clock = msgspec.field(default_factory=_Clock)


def load(path: Path) -> Scenario:
    """The scenario in a file; ``ScenarioError`` names the file and the line or step that is wrong."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise ScenarioError(f"{path} can't be read ({reason})") from None
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def read(text: str) -> Scenario:
    """The scenario a YAML text describes."""
    try:
        written = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ScenarioError(f"{line}this is no YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise ScenarioError(f"this is no YAML ({error})") from None
    file = _file(written)
    steps = [_step(number, raw) for number, raw in enumerate(file.steps, 1)]
    return Scenario(steps=tuple(sorted(steps, key=lambda step: step.at)), speed=file.clock.speed)


def _file(written: object) -> _File:
    if not isinstance(written, dict) or "steps" not in written:
        raise ScenarioError("a scenario needs `steps:`, a list such as [{at: 10m, tenant: 0, action: create_user}]")
    try:
        return msgspec.convert(written, _File)
    except msgspec.ValidationError as error:
        raise ScenarioError(str(error)) from None


def _step(number: int, raw: dict[str, object]) -> Step:
    try:
        given = msgspec.convert(raw, _Step)
        mutation = Mutation(given.action, given.id, given.set)
        mutations.check(mutation)
        return Step(at=duration(str(given.at)), tenant=str(given.tenant), mutation=mutation)
    except (ScenarioError, msgspec.ValidationError) as error:
        raise ScenarioError(f"step {number}: {error}; `mspbyte graphsim mutations` lists what can happen") from None


def duration(text: str) -> float:
    """Seconds from ``10s``, ``2h``, ``1d 12h``; ``0`` is the beginning."""
    parts = _DURATION.findall(text)
    if text.strip() != "0" and (not parts or _DURATION.sub("", text).strip()):
        raise ScenarioError(f"{text!r} is no time: write 10s, 5m, 2h or 3d")
    return sum(float(amount) * _UNITS[unit] for amount, unit in parts)


@dataclass(kw_only=True, slots=True)
class Playback:
    """A scenario being played. ``failed`` holds one sentence for each step that could not be done."""

    scenario: Scenario
    find: Callable[[str], TenantState | None]
    done: int = 0
    failed: list[str] = field(default_factory=list)

    def advance(self, elapsed: float) -> float | None:
        """Does what is due ``elapsed`` real seconds after the beginning; the seconds to the next step, if any."""
        reached = elapsed * self.scenario.speed
        while self.done < len(self.scenario.steps):
            step = self.scenario.steps[self.done]
            if step.at > reached:
                return (step.at - reached) / self.scenario.speed
            self._do(step)
            self.done += 1
        return None

    def _do(self, step: Step) -> None:
        state = self.find(step.tenant)
        if state is None:
            self.failed.append(f"{step.mutation.action} at {step.at:g} s: there is no tenant {step.tenant}")
            return
        try:
            mutations.apply(state, step.mutation)
        except ScenarioError as error:
            self.failed.append(f"{step.mutation.action} at {step.at:g} s: {error}")


@asynccontextmanager
async def played(playback: Playback, clock: Callable[[], float]) -> AsyncIterator[None]:
    """Plays on the event loop for as long as the block lasts. ``clock`` gives seconds."""
    task = asyncio.get_running_loop().create_task(_play(playback, clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _play(playback: Playback, clock: Callable[[], float]) -> None:
    begun = clock()
    while True:
        wait = playback.advance(clock() - begun)
        if wait is None:
            return
        await asyncio.sleep(wait)
