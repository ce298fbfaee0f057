"""From a decision to the branch and the parts of a run: every combination."""

from __future__ import annotations

import itertools

import pytest

from pipeline.domain.flags import Flag, FlagState, FlagValue, Reason
from pipeline.domain.runs import Branch, Lane, Parts, Stage
from pipeline.flags.environment import listed_overrides, starting_point
from pipeline.flags.evaluate import decide
from pipeline.flags.routing import LEGACY_PARTS, NEW_PARTS, route
from pipeline.settings import load_settings
from pipeline.stages.route import describe, plan, queue_of
from tests.unit.flags.sources import source

PARTS = (Flag.BATCH_LOADING, Flag.UNIFIED_ANALYZER, Flag.ALERT_MANAGER)
COMBINATIONS = list(itertools.product([False, True], repeat=3))


def decided(*, new: bool, batch: bool, unified: bool, alerts: bool, compare: bool = False) -> dict[Flag, FlagValue]:
    on = {
        Flag.NEW_PIPELINE: new,
        Flag.BATCH_LOADING: batch,
        Flag.UNIFIED_ANALYZER: unified,
        Flag.ALERT_MANAGER: alerts,
        Flag.COMPARISON_MODE: compare,
    }
    return dict(decide({flag: FlagState(enabled=value) for flag, value in on.items()}, 1))


@pytest.mark.parametrize(("batch", "unified", "alerts"), COMBINATIONS)
def test_each_part_of_the_new_branch_falls_back_alone(*, batch: bool, unified: bool, alerts: bool) -> None:
    chosen = route(decided(new=True, batch=batch, unified=unified, alerts=alerts), compare=False)

    assert (chosen.branch, chosen.owner) == (Branch.NEW, Branch.NEW)
    assert chosen.parts == {
        Lane.MAIN: Parts(
            linker="batch" if batch else "n_plus_one",
            analyzer="unified" if unified else "separate",
            alerts="reconcile" if alerts else "legacy",
        )
    }


@pytest.mark.parametrize(("batch", "unified", "alerts"), COMBINATIONS)
def test_with_the_new_branch_off_every_part_is_the_former_one(*, batch: bool, unified: bool, alerts: bool) -> None:
    chosen = route(decided(new=False, batch=batch, unified=unified, alerts=alerts), compare=False)

    assert (chosen.branch, chosen.owner, chosen.parts) == (Branch.LEGACY, Branch.LEGACY, {Lane.MAIN: LEGACY_PARTS})


@pytest.mark.parametrize(("flag", "asked"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("new", [False, True])
def test_a_comparison_is_controlled_by_the_branch_that_owns_the_tenant(*, new: bool, flag: bool, asked: bool) -> None:
    decision = decided(new=new, batch=True, unified=True, alerts=True, compare=flag)

    chosen = route(decision, compare=asked)

    own, other = (NEW_PARTS, LEGACY_PARTS) if new else (LEGACY_PARTS, NEW_PARTS)
    assert chosen.branch is Branch.COMPARISON
    assert chosen.owner is (Branch.NEW if new else Branch.LEGACY)
    assert chosen.parts == {Lane.CONTROL: own, Lane.CANDIDATE: other}


@pytest.mark.parametrize("branch", [Branch.LEGACY, Branch.NEW])
def test_a_branchs_stages_are_asked_for_on_its_own_queues(branch: Branch) -> None:
    chosen = route(decided(new=branch is Branch.NEW, batch=True, unified=True, alerts=True), compare=False)

    assert [(step.lane, step.stage, step.queue) for step in plan(chosen)] == [
        (Lane.MAIN, Stage.LOAD, f"sync.{branch.value}"),
        (Lane.MAIN, Stage.LINK, f"sync.{branch.value}"),
        (Lane.MAIN, Stage.ANALYZE, f"analyze.{branch.value}"),
        (Lane.MAIN, Stage.ALERT, "alerts"),
    ]


def test_a_comparison_is_a_capture_two_lanes_on_their_own_queues_and_a_comparing_step() -> None:
    steps = plan(route(decided(new=False, batch=True, unified=True, alerts=True), compare=True))

    assert (steps[0].lane, steps[0].stage, steps[0].queue) == (Lane.MAIN, Stage.CAPTURE, "sync.legacy")
    assert (steps[-1].lane, steps[-1].stage, steps[-1].queue) == (Lane.MAIN, Stage.COMPARE, "compare")
    queues = {(step.lane, step.stage): step.queue for step in steps[1:-1]}
    assert queues[Lane.CONTROL, Stage.ANALYZE] == "analyze.legacy"
    assert queues[Lane.CANDIDATE, Stage.ANALYZE] == "analyze.new"
    assert len(steps) == 10


def test_a_run_is_routed_on_the_router_queue() -> None:
    assert {queue_of(Stage.ROUTE, branch) for branch in (Branch.LEGACY, Branch.NEW)} == {"router"}


def test_a_decision_is_stored_with_its_reasons() -> None:
    stored = describe(decided(new=False, batch=True, unified=True, alerts=True))

    assert set(stored) == {flag.value for flag in Flag}
    assert stored["batch_loading"] == {"value": False, "reason": Reason.STATIC.value}


def test_the_environment_is_the_flags_starting_point() -> None:
    settings = load_settings({"FEATURE_NEW_PIPELINE": "true", "FEATURE_ALERT_MANAGER_ROLLOUT": "12.5"})

    snapshot = starting_point(settings)

    assert set(snapshot) == set(Flag)
    assert (snapshot[Flag.NEW_PIPELINE].enabled, snapshot[Flag.NEW_PIPELINE].rollout) == (True, None)
    assert snapshot[Flag.ALERT_MANAGER].rollout == 12.5
    assert not any(state.killed or state.overrides for state in snapshot.values())


@pytest.mark.parametrize(("listed", "on"), [("acme", True), ("other, acme", True), ("7", True), ("acm", False)])
def test_the_former_systems_list_of_tenants_is_an_override(listed: str, *, on: bool) -> None:
    with pytest.deprecated_call(match="UNIFIED_ANALYZER_TENANTS"):
        settings = load_settings({"UNIFIED_ANALYZER_TENANTS": listed})

    assert listed_overrides(settings, source("acme", tenant_id=7)) == ({Flag.UNIFIED_ANALYZER: True} if on else {})
