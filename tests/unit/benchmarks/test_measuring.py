"""How times are taken: in turn, after a round that does not count."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from benchmarks.measuring import Paired, Work, alternate, quantile, repeat


def noting(name: str, log: list[str]) -> Callable[[], Work]:
    def prepare() -> Work:
        log.append(f"prepare {name}")
        return lambda: log.append(name)

    return prepare


def test_both_sides_run_in_turn_and_the_first_round_does_not_count() -> None:
    log: list[str] = []

    paired = alternate(noting("a", log), noting("b", log), repetitions=2)

    assert log == ["prepare a", "a", "prepare b", "b"] * 3
    assert len(paired.measured) == len(paired.floor) == 2


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    paired = Paired(measured=(2.0, 30.0, 4.0), floor=(1.0, 10.0, 1.0))

    assert paired.ratio == 3.0


def test_a_repeated_measurement_prepares_each_time() -> None:
    log: list[str] = []

    seconds = repeat(noting("a", log), repetitions=3)

    assert log == ["prepare a", "a"] * 4
    assert seconds >= 0


def test_a_measurement_that_fails_leaves_the_collector_as_it_was() -> None:
    frozen = gc.get_freeze_count()

    def prepare() -> Work:
        return lambda: dict[str, int]()["missing"]

    with pytest.raises(KeyError):
        repeat(prepare, repetitions=1)

    assert gc.get_freeze_count() == frozen == 0


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.501, 51.0), (0.99, 99.0), (1.0, 100.0)])
def test_quantiles_are_by_nearest_rank(share: float, expected: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], share) == expected
