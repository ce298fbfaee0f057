"""Runs through a storm: messages twice, late and at once, workers given up; the end is that of a quiet run."""

from __future__ import annotations

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from legacy.admins import tag_admins
from pipeline.domain.flags import Flag
from pipeline.domain.runs import StepRef
from pipeline.stages.dispatch import next_refs, open_due_runs, redispatch_overdue
from pipeline.stages.local import finish_here
from pipeline.storage.database import Database
from tests.ledger_steps import LOST_AFTER, PATIENCE, together, wait_until_blocked
from tests.tenants import COMPARED, LEGACY, NEW
from tests.world import World, a_world

pytestmark = pytest.mark.servers
OUTCOMES = (
    "SELECT id, severity, status FROM alerts ORDER BY id",
    "SELECT alert_id, from_status, to_status FROM alert_history ORDER BY 1, 2 NULLS FIRST, 3",
    "SELECT id, evidence_hash FROM findings ORDER BY id",
    "SELECT id, data_hash, state, ARRAY(SELECT DISTINCT unnest(tags) ORDER BY 1)::text FROM entities ORDER BY id",
    "SELECT type, parent_id, child_id FROM relationships ORDER BY 1, 2, 3",
    "SELECT subject, count(*) FROM outbox GROUP BY 1 ORDER BY 1",
    "SELECT result, discrepancies, declared FROM comparisons",
    "SELECT lane, stage, state FROM run_steps ORDER BY 1, 2",
    "SELECT state FROM runs",
    "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'shadow%'",
)


def outcome(world: World) -> list[list[tuple[object, ...]]]:
    return [world.rows(query) for query in OUTCOMES]


def empty(database: Database) -> None:
    with database.begin() as connection:
        tables = "tenants, entities, relationships, source_inputs, findings, alerts, alert_history, outbox"
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


def storm(world: World, seed: int) -> None:
    """Does the run's steps, every one of them more than once, in the wrong order, under fences old and new."""
    chance = random.Random(seed)  # noqa: S311 - a story that can be told again
    (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
    messages: list[StepRef] = []
    while turns := next_refs(world.database, opened.run_id):
        messages.extend(turns)
        match chance.randrange(4):
            case 0:
                # Nobody answers for a while: the reconciler asks again, and the messages of before are late.
                world.time += LOST_AFTER * 2 + timedelta(seconds=1)
                redispatch_overdue(world.database, world.time, PATIENCE)
            case 1:
                # Workers get the same message, and lanes end, at the same moment.
                together(*(partial(world.executor.run, ref) for ref in (turns[0], turns[0], turns[-1])))
            case 2:
                world.executor.run(chance.choice(messages))
            case _:
                world.executor.run(chance.choice(turns))
    for late in messages:
        world.executor.run(late)


@pytest.mark.parametrize("branch", [LEGACY, NEW, COMPARED], ids=["legacy", "new", "comparison"])
def test_after_a_storm_everything_is_as_after_a_quiet_run(database_url: str, branch: Mapping[Flag, bool]) -> None:
    with a_world(database_url, branch) as world:
        storm_free = _quiet(world)
        empty(world.database)

    for seed in range(6):
        with a_world(database_url, branch) as world:
            storm(world, seed)

            assert outcome(world) == storm_free, seed
            empty(world.database)


def test_two_workers_on_one_legacy_link_tag_an_administrator_once(database_url: str) -> None:
    with a_world(database_url, LEGACY) as world:
        (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
        finish_here(world.database, world.executor, opened.run_id)
        with world.database.begin() as connection:
            connection.execute(text("UPDATE entities SET tags = '{}'"))

        def tag_again() -> None:
            with world.database.begin() as second:
                tag_admins(second, world.scope)

        with ThreadPoolExecutor(1) as threads:
            with world.database.begin() as first:
                tag_admins(first, world.scope)
                late = threads.submit(tag_again)
                wait_until_blocked(world.database)
            late.result(timeout=60)

        assert world.number("SELECT max(cardinality(tags)) FROM entities") == 1


def _quiet(world: World) -> list[list[tuple[object, ...]]]:
    (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
    while turns := next_refs(world.database, opened.run_id):
        world.executor.run(turns[0])
    return outcome(world)
