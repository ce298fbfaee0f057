"""A scenario file is checked when it is read, and its steps happen at their times."""

from __future__ import annotations

from pathlib import Path

import pytest

import graphsim
from graphsim.simulator import SimulatorConfig, start
from graphsim.world import playing
from graphsim.world.playing import Playback, duration
from graphsim.world.targets import ScenarioError
from tests.unit.graphsim.conftest import NOW, MakeWorld

EXAMPLE = Path(graphsim.__file__).parent / "scenarios" / "busy-day.yaml"
TWO_STEPS = """
clock: {speed: 60}
steps:
  - {at: 2h, tenant: 0, action: delete_user, id: 5}
  - {at: 10s, tenant: 0, action: disable_user, id: 5}
"""


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("10s", 10), ("5m", 300), ("2h", 7200), ("1d 12h", 129_600), ("1.5m", 90)]
)
def test_times_are_written_with_units(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "ten seconds", "-5s", "5s later", "s"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="is no time"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("steps: [", "line 1: this is no YAML"),
        ("clock: {speed: 1}\nsteps:\n  - {at: 1s\n", "line 4: this is no YAML"),
        ("", "a scenario needs `steps:`"),
        ("- 1", "a scenario needs `steps:`"),
        ("clock: {speed: 1}", "a scenario needs `steps:`"),
        ("steps: 5", r"Expected `array`, got `int` - at `\$.steps`"),
        ("steps: []\nclock: {speed: 0}", "Expected `float` > 0.0"),
        ("steps: []\nmore: 1", "unknown field `more`"),
        ("steps: [{at: 1s, tenant: 0, action: create_user}, {at: 1s, action: create_user}]", "step 2: .*`tenant`"),
        ("steps: [{at: soon, tenant: 0, action: create_user}]", "step 1: 'soon' is no time"),
        ("steps: [{at: 1s, tenant: 0, action: fly}]", "step 1: there is no action 'fly'"),
        ("steps: [{at: 1s, tenant: 0, action: disable_user}]", "step 1: disable_user needs the id"),
        ("steps: [{at: 1s, tenant: 0, action: set_seats, id: x, set: {seats: many}}]", "step 1: set_seats: Expected"),
        ("steps: [{at: 1s, tenant: 0, action: !!python/name:os.system }]", "line 1: this is no YAML"),
    ],
)
def test_mistakes_are_named_with_line_or_step(text: str, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason):
        playing.read(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.yaml can't be read"):
        playing.load(tmp_path / "nowhere.yaml")


def test_steps_happen_in_the_order_of_their_times_and_as_fast_as_told(make_world: MakeWorld) -> None:
    state = make_world(0).state
    playback = Playback(scenario=playing.read(TWO_STEPS), find={"0": state}.get)

    assert playback.advance(0) == pytest.approx(10 / 60)
    assert state.log.last == 0
    assert playback.advance(10 / 60) == pytest.approx((7200 - 10) / 60)
    assert state.user(5)["accountEnabled"] is False
    assert playback.advance(1000) is None

    assert not state.exists(5)
    assert playback.failed == []


def test_a_step_that_can_not_be_done_is_told_and_the_rest_goes_on(make_world: MakeWorld) -> None:
    text = (
        TWO_STEPS + "  - {at: 1s, tenant: 7, action: create_user}\n  - {at: 2s, tenant: 0, action: purge_user, id: 5}"
    )
    playback = Playback(scenario=playing.read(text), find={"0": make_world(0).state}.get)

    playback.advance(1e6)

    assert playback.done == 4
    assert [sentence.partition(":")[0] for sentence in playback.failed] == [
        "create_user at 1 s",
        "disable_user at 10 s",
        "delete_user at 7200 s",
    ]


def test_the_example_can_be_played_to_its_end() -> None:
    simulator = start(SimulatorConfig(users=60, now=NOW, scenario=playing.load(EXAMPLE)), clock=lambda: 0.0)
    playback = simulator.playback()

    playback.advance(1e9)

    assert playback.failed == []
    assert playback.done == 15


def test_a_scenario_for_a_tenant_that_is_not_there_is_refused_at_the_start() -> None:
    scenario = playing.read("steps: [{at: 1s, tenant: 5, action: create_user}]")

    with pytest.raises(ValueError, match="no tenant 5"):
        start(SimulatorConfig(scenario=scenario))
