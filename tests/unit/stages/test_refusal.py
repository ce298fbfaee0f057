"""How long a tenant that refuses us is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.stages.refusal import refusal_wait

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("refusals", "minutes"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 360), (7, 360), (1000, 360)]
)
def test_the_wait_doubles_with_every_refusal_up_to_six_hours(refusals: int, minutes: int) -> None:
    assert refusal_wait(refusals, 0.0) == minutes * MINUTE


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5, 0.999])
def test_chance_takes_up_to_a_tenth_off_and_adds_nothing(chance: float) -> None:
    for refusals in range(1, 9):
        longest = refusal_wait(refusals, 0.0)
        assert 0.9 * longest <= refusal_wait(refusals, chance) <= longest
