"""What one run asks of PostgreSQL: the new branch the same whatever the tenant's size, the former one ever more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from graphsim.world import scenario
from pipeline.domain.flags import Flag
from pipeline.domain.runs import StepRef
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.storage.database import Database
from pipeline.storage.findings import REPLACE
from tests.tenants import LEGACY, NEW
from tests.world import NOW, PILOT, SECURITY_DEFAULTS, World, a_world

pytestmark = pytest.mark.servers
RUN_LIMIT, LOAD_LIMIT, LINK_LIMIT = 30, 10, 12
Counts = dict[str, int]


def counts(world: World) -> Counts:
    """Statements by stage, of a sync now."""
    run_id = world.sync()
    assert world.run(run_id) == ("succeeded", None, None)
    found = world.rows("SELECT stage, queries FROM run_steps WHERE run_id = :id", id=run_id)
    return {str(stage): int(str(queries)) for stage, queries in found}


def change(world: World) -> None:
    """New, changed and removed users in number proportional to the tenant's size, and a policy switched."""
    state, size = world.state, world.state.tenant.size
    for number in range(10, size, 10):
        scenario.create_user(state)
        scenario.change_user(state, state.tenant.user_id(number), scenario.UserBody(enabled=False))
        scenario.remove_user(state, state.tenant.user_id(number + 1))
    for policy in state.policies()[:1]:
        scenario.change_policy(state, str(policy["id"]), scenario.PolicyChange(state="disabled"))


def life(database_url: str, *, posture: int, users: int) -> tuple[Counts, Counts, Counts]:
    """Statements of the first sync, of one with changes and of one without."""
    with a_world(database_url, NEW, posture=posture, users=users) as world:
        first = counts(world)
        change(world)
        second = counts(world)
        written = world.rows(
            "SELECT detail->'new', detail->'changed', detail->'gone' FROM run_steps WHERE stage = 'load'"
        )
        assert (users // 10 - 1) in {row[2] for row in written}, "the second sync inserted, updated and deleted"
        return first, second, counts(world)


@pytest.mark.parametrize(("posture", "users"), [(PILOT, 5000), (SECURITY_DEFAULTS, 1000)])
def test_a_run_of_the_new_branch_asks_no_more_of_5000_users_than_of_50(
    database_url: str, posture: int, users: int
) -> None:
    small = life(database_url, posture=posture, users=50)
    large = life(database_url, posture=posture, users=users)

    assert large == small


def test_a_run_of_the_new_branch_stays_within_its_limits(database_url: str) -> None:
    for found in life(database_url, posture=PILOT, users=200):
        assert sum(found.values()) <= RUN_LIMIT, found
        assert found["load"] <= LOAD_LIMIT, found
        assert found["link"] <= LINK_LIMIT, found


def test_a_run_of_the_legacy_branch_asks_more_the_larger_the_tenant(database_url: str) -> None:
    found: list[Counts] = []
    for users in (50, 300):
        with a_world(database_url, LEGACY, users=users) as world:
            found.append(counts(world))

    small, large = found
    assert sum(large.values()) > 3 * sum(small.values())
    assert all(large[stage] > 2 * small[stage] for stage in ("link", "analyze", "alert")), found


NOT_WORK = ("SELECT 1", ";", "SHOW", "select pg_catalog.version()", "BEGIN", "SELECT t.oid")


class Wire:
    """Counts, at the driver, what is sent by this thread while a step is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: Counter[str] = Counter()
        self.stage: str | None = None
        self.thread = threading.get_ident()
        execute, copy, stream = psycopg.Cursor.execute, psycopg.Cursor.copy, psycopg.Cursor.stream

        def counting_execute(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as it came
            self.count(str(query))
            return execute(cursor, query, *args, **kwargs)

        def counting_copy(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as it came
            self.count("copy")
            return copy(cursor, query, *args, **kwargs)

        def counting_stream(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as it came
            self.count(str(query))
            return stream(cursor, query, *args, **kwargs)

        monkeypatch.setattr(psycopg.Cursor, "stream", counting_stream)
        monkeypatch.setattr(psycopg.Cursor, "execute", counting_execute)
        monkeypatch.setattr(psycopg.Cursor, "copy", counting_copy)

    def count(self, statement: str) -> None:
        ours = self.stage is not None and threading.get_ident() == self.thread
        if ours and not statement.startswith(NOT_WORK):
            self.sent[str(self.stage)] += 1

    def do(self, world: World, ref: StepRef) -> None:
        self.stage = ref.stage.value
        world.executor.run(ref)
        self.stage = None


@pytest.mark.parametrize("branch", [NEW, LEGACY], ids=["new", "legacy"])
def test_the_ledger_tells_the_number_of_statements_that_were_sent(
    database_url: str, branch: Mapping[Flag, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_world(database_url, branch) as world:
        wire = Wire(monkeypatch)
        (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
        while refs := next_refs(world.database, opened.run_id):
            wire.do(world, refs[0])

        told = world.rows("SELECT stage, queries FROM run_steps")

    assert {str(stage): count for stage, count in told} == dict(wire.sent)


def test_findings_are_replaced_without_comparing_each_with_each_also_in_a_table_without_statistics(
    database: Database,
) -> None:
    names = ("evaluated", "judged_types", "unknown_types", "unknown_externals", "grant_holders", "grant_roles")
    values = {
        **{name: ["mfa_not_enforced"] for name in names},
        "batch": uuid4(),
        "tenant_id": 1,
        "source_id": 1,
        "run_id": uuid4(),
        "trace_id": "",
        "now": NOW,
        "judged": "{}",
        "coverage": "[]",
        "grants_known": True,
        "grants_told": True,
    }
    with database.begin() as connection:
        plan = " ".join(connection.execute(text(f"EXPLAIN {REPLACE.text}"), values).scalars())

    assert plan.count("Nested Loop") == plan.count("Function Scan on json_to_record ") == 1, "a document is one row"
    assert "hashed SubPlan" in plan
