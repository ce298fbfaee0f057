"""Whole runs in one process: every combination of the new branch's parts, and runs that end otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import timedelta

import pytest

from pipeline.domain.flags import Flag
from pipeline.domain.runs import Stage
from pipeline.errors import PermanentError, UserError
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.stages.execution import Outcome
from pipeline.stages.local import finish_here, sync_here
from tests.tenants import COMPARED, LEGACY, NEW
from tests.world import a_world

pytestmark = pytest.mark.servers
PARTS = (Flag.BATCH_LOADING, Flag.UNIFIED_ANALYZER, Flag.ALERT_MANAGER)
FINDINGS = "SELECT id, severity, message, evidence_hash FROM findings ORDER BY id"


@pytest.mark.parametrize("on", list(itertools.product([False, True], repeat=3)), ids=str)
def test_each_combination_of_the_new_branchs_parts_runs_to_its_end_with_the_same_findings(
    database_url: str, on: tuple[bool, ...]
) -> None:
    batch, unified, alerts = on
    with a_world(database_url, {**NEW, **dict(zip(PARTS, on, strict=True))}) as world:
        run_id = world.sync()

        assert world.run(run_id) == ("succeeded", None, None)
        assert world.rows("SELECT DISTINCT state FROM run_steps WHERE run_id = :id", id=run_id) == [("done",)]
        ((parts,),) = world.rows("SELECT parts->'main' FROM runs WHERE id = :id", id=run_id)
        assert parts == {
            "linker": "batch" if batch else "n_plus_one",
            "analyzer": "unified" if unified else "separate",
            "alerts": "reconcile" if alerts else "legacy",
        }
        findings = world.rows(FINDINGS)
        world.flags(dict.fromkeys(PARTS, True))
        world.sync()
        assert findings
        assert world.rows(FINDINGS) == findings, "the parts differ in their price, not in what they find"


def test_the_former_alert_handling_raises_all_that_the_new_analyzer_finds(database_url: str) -> None:
    kinds = "SELECT DISTINCT alert_type FROM {} ORDER BY 1"
    with a_world(database_url, {**NEW, Flag.ALERT_MANAGER: False}, users=120) as world:
        world.sync()

        assert ("license_overuse",) in world.rows(kinds.format("findings"))
        assert world.rows(kinds.format("alerts")) == world.rows(kinds.format("findings"))


@pytest.mark.parametrize("branch", [LEGACY, NEW, COMPARED], ids=["legacy", "new", "comparison"])
def test_the_decision_is_on_the_run_with_its_reasons_and_flags_changed_later_do_not_move_it(
    database_url: str, branch: Mapping[Flag, bool]
) -> None:
    with a_world(database_url, branch) as world:
        run_id = world.sync()
        query = "SELECT branch, flag_decision FROM runs WHERE id = :id"
        before = world.rows(query, id=run_id)
        world.flags({flag: not value for flag, value in branch.items()})
        world.sync()

        assert world.rows(query, id=run_id) == before
        ((_, decision),) = before
        assert isinstance(decision, dict)
        assert decision["new_pipeline"] == {"value": branch[Flag.NEW_PIPELINE], "reason": "TARGETING_MATCH"}
        assert set(decision) == {flag.value for flag in Flag}


def test_a_flag_switched_while_a_run_is_under_way_leaves_it_on_its_branch(database_url: str) -> None:
    with a_world(database_url, NEW) as world:
        (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
        (route,) = next_refs(world.database, opened.run_id)
        world.executor.run(route)
        world.flags(LEGACY)

        finish_here(world.database, world.executor, opened.run_id)

        found = world.rows("SELECT branch, state FROM runs WHERE id = :id", id=opened.run_id)
        assert (route.stage, found) == (Stage.ROUTE, [("new", "succeeded")])


@pytest.mark.parametrize("branch", [LEGACY, NEW, COMPARED], ids=["legacy", "new", "comparison"])
def test_a_run_that_fails_for_good_leaves_the_tenants_rows_as_they_were(
    database_url: str, branch: Mapping[Flag, bool]
) -> None:
    with a_world(database_url, branch) as world:
        world.sync()
        tables = ("entities", "relationships", "findings", "alerts", "alert_history", "source_inputs")
        before = [world.rows(f"SELECT ctid::text, t.* FROM {table} t ORDER BY ctid") for table in tables]  # noqa: S608 - names of our own tables
        world.error = PermanentError("Graph says no.")

        run_id = world.sync()

        assert world.run(run_id) == ("failed", "PermanentError", "Graph says no.")
        assert [world.rows(f"SELECT ctid::text, t.* FROM {table} t ORDER BY ctid") for table in tables] == before  # noqa: S608 - names of our own tables
        world.error = None
        assert world.run(world.sync())[0] == "succeeded"


def test_a_second_run_of_a_source_that_has_one_under_way_is_refused_in_one_sentence(database_url: str) -> None:
    with a_world(database_url, NEW) as world:
        open_due_runs(world.database, world.time, max_jobs=5)

        with pytest.raises(UserError, match="under way already; `mspbyte runs list` shows it"):
            sync_here(world.database, world.executor, world.scope)


def test_the_legacy_branch_holds_its_alerts_back_to_aggregate(database_url: str) -> None:
    with a_world(database_url, LEGACY, LEGACY_ALERT_DELAY_MS="30000") as world:
        (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
        for _ in range(4):
            (ref,) = next_refs(world.database, opened.run_id)
            world.executor.run(ref)

        (alert,) = next_refs(world.database, opened.run_id)
        assert (alert.stage, world.executor.run(alert).outcome) == (Stage.ALERT, Outcome.NOTHING)
        world.time += timedelta(seconds=30)
        assert world.executor.run(alert).outcome is Outcome.DONE
        assert world.run(opened.run_id)[0] == "succeeded"
