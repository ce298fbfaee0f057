"""What a benchmark reports: one row per figure, shown as a table or as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.table import Table


class Measure(StrEnum):
    """Which figure of a row its goal is about."""

    MEDIAN = "median"
    RATIO = "ratio"


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A bound that the figure is not to exceed."""

    measure: Measure
    at_most: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure. ``floor`` is in the same unit, measured in the same run; ``None`` where there is none.

    ``ratio`` is given where it was found pair by pair; otherwise it follows from median and floor.
    """

    name: str
    size: str
    median: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: Goal | None = None

    @property
    def times_floor(self) -> float | None:
        """How many times the floor the figure is."""
        if self.ratio is not None or self.floor is None:
            return self.ratio
        return self.median / self.floor

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, ``None`` without one. A goal on a ratio needs a floor."""
        if self.goal is None:
            return None
        value = self.median if self.goal.measure is Measure.MEDIAN else self.times_floor
        if value is None:
            raise ValueError(f"{self.name} has a goal on its ratio and no floor")
        return value <= self.goal.at_most

    def document(self) -> dict[str, object]:
        """The row as JSON, figures rounded to four digits."""
        goal = None if self.goal is None else {"measure": self.goal.measure.value, "at_most": self.goal.at_most}
        return {
            "name": self.name,
            "size": self.size,
            "median": _rounded(self.median),
            "unit": self.unit,
            "floor": _rounded(self.floor),
            "ratio": _rounded(self.times_floor),
            "goal": goal,
            "met": self.met,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def to_json(rows: Iterable[Row], machine: dict[str, object]) -> str:
    """``{"machine": {…}, "rows": [{…}]}``."""
    return json.dumps({"machine": machine, "rows": [row.document() for row in rows]}, indent=2)


COLUMNS = ("benchmark", "size", "median", "unit", "floor", "ratio", "goal", "met")
_NUMBERS = frozenset({"median", "floor", "ratio"})


def to_table(rows: Sequence[Row]) -> Table:
    table = Table(title="MSPByte pipeline: benchmarks", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in _NUMBERS else "left")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    met = {None: "", True: "[green]yes[/green]", False: "[red]no[/red]"}[row.met]
    return (
        row.name,
        row.size,
        _shown(row.median),
        row.unit,
        _shown(row.floor),
        _shown(row.times_floor),
        _bound(row),
        met,
    )


def _bound(row: Row) -> str:
    return "" if row.goal is None else f"{row.goal.measure.value} ≤ {row.goal.at_most:g}"


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - three digits are what noise leaves
