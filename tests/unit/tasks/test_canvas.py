"""Messages as they leave for the broker: a chain per lane, a chord for a comparison, and ids in them, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from celery.signals import before_task_publish

from pipeline.domain.flags import Flag, FlagState
from pipeline.domain.runs import Lane, Stage
from pipeline.flags.evaluate import decide
from pipeline.flags.routing import route
from pipeline.stages.dispatch import FIRST
from pipeline.stages.route import plan
from pipeline.storage.ledger import Dispatch, PlannedStep
from tasks.app import MODULES, app
from tasks.canvas import TASKS, publish, publish_route

RUN = UUID(int=7)
Message = Mapping[str, Any]


@pytest.fixture
def broker_in_memory() -> Iterator[None]:
    """Celery's own broker for tests, instead of the one this process was started with."""
    app.loader.import_default_modules()
    ours = {"broker_url": "memory://", "broker_transport_options": {}, "result_backend": "cache+memory://"}
    before = {name: app.conf[name] for name in ours}
    app.conf.update(ours)
    opened = app.amqp._producer_pool, app._pool, app._local, app._backend_cache
    app.amqp._producer_pool, app._pool, app._local, app._backend_cache = None, None, threading.local(), None
    yield
    app.conf.update(before)
    app.amqp._producer_pool, app._pool, app._local, app._backend_cache = opened


@pytest.fixture
def sent(broker_in_memory: None) -> Iterator[list[Message]]:
    """Every message handed to the broker."""
    messages: list[Message] = []

    def note(**told: Any) -> None:  # noqa: ANN401 - Celery's own arguments
        args, kwargs, embedded = told["body"]
        messages.append(
            {
                "task": told["sender"],
                "queue": told["declare"][0].name,
                "args": args,
                "kwargs": kwargs,
                "then": list(reversed(embedded["chain"] or [])),
                "shown": told["headers"]["argsrepr"],
            }
        )

    before_task_publish.connect(note, weak=False)
    yield messages
    before_task_publish.disconnect(note)


def steps(*, new: bool, compare: bool) -> tuple[PlannedStep, ...]:
    snapshot = {flag: FlagState(enabled=True) for flag in Flag} | {
        Flag.NEW_PIPELINE: FlagState(enabled=new),
        Flag.COMPARISON_MODE: FlagState(enabled=compare),
    }
    return plan(route(decide(snapshot, 1), compare=False))


def line(signature: Message) -> tuple[str, str, tuple[object, ...]]:
    return str(signature["task"]), str(signature["options"]["queue"]), tuple(signature["args"])


@pytest.mark.parametrize("branch", ["new", "legacy"])
def test_a_branch_is_one_chain_over_its_own_queues(sent: list[Message], branch: str) -> None:
    publish_route(RUN, steps(new=branch == "new", compare=False))

    (message,) = sent
    ids = (str(RUN), "main", 1)
    assert (message["task"], message["queue"], tuple(message["args"])) == (TASKS[Stage.LOAD], f"sync.{branch}", ids)
    assert [line(step) for step in message["then"]] == [
        (TASKS[Stage.LINK], f"sync.{branch}", ids),
        (TASKS[Stage.ANALYZE], f"analyze.{branch}", ids),
        (TASKS[Stage.ALERT], "alerts", ids),
    ]
    assert all(step["immutable"] for step in message["then"]), "a step takes no result of the step before it"


def test_a_comparison_is_a_capture_and_then_a_chord_of_both_lanes(sent: list[Message]) -> None:
    publish_route(RUN, steps(new=False, compare=True))

    (message,) = sent
    assert (message["task"], message["queue"]) == (TASKS[Stage.CAPTURE], "sync.legacy")
    (then,) = message["then"]
    assert then["task"] == "celery.chord"
    lanes = {
        lane["kwargs"]["tasks"][0]["args"][1]: [line(step)[:2] for step in lane["kwargs"]["tasks"]]
        for lane in then["kwargs"]["header"]["kwargs"]["tasks"]
    }
    stages = (Stage.LOAD, Stage.LINK, Stage.ANALYZE, Stage.ALERT)
    assert lanes == {
        lane: list(zip((TASKS[stage] for stage in stages), queues, strict=True))
        for lane, queues in {
            "control": ("sync.legacy", "sync.legacy", "analyze.legacy", "alerts"),
            "candidate": ("sync.new", "sync.new", "analyze.new", "alerts"),
        }.items()
    }
    assert line(then["kwargs"]["body"]) == (TASKS[Stage.COMPARE], "compare", (str(RUN), "main", 1))


def test_a_redispatch_asks_for_the_rest_of_a_lane_under_its_fence(sent: list[Message]) -> None:
    publish(
        Dispatch(
            run_id=RUN,
            lane=Lane.CANDIDATE,
            fence=3,
            steps=((Stage.ANALYZE, "analyze.new"), (Stage.ALERT, "alerts")),
        )
    )

    (message,) = sent
    ids = (str(RUN), "candidate", 3)
    assert (message["task"], message["queue"], tuple(message["args"])) == (TASKS[Stage.ANALYZE], "analyze.new", ids)
    assert [line(step) for step in message["then"]] == [(TASKS[Stage.ALERT], "alerts", ids)]


def test_a_run_begins_with_one_message_to_the_router(sent: list[Message]) -> None:
    publish(Dispatch(run_id=RUN, lane=Lane.MAIN, fence=1, steps=((FIRST.stage, FIRST.queue),)))

    (message,) = sent
    assert (message["task"], message["queue"], message["kwargs"], message["then"]) == (
        TASKS[Stage.ROUTE],
        "router",
        {},
        [],
    )
    assert message["shown"] == f"('route main', '{RUN}', fence 1)"


def test_a_route_that_another_worker_stored_publishes_nothing(sent: list[Message]) -> None:
    publish_route(RUN, ())

    assert sent == []


def test_every_stage_has_its_task_and_every_task_takes_a_runs_ids() -> None:
    app.loader.import_default_modules()

    assert set(TASKS) == set(Stage)
    assert set(TASKS.values()) <= set(app.tasks)
    for name in TASKS.values():
        assert name.rpartition(".")[0] in MODULES
        assert app.tasks[name].run.__code__.co_varnames[:3] == ("run_id", "lane", "fence")
