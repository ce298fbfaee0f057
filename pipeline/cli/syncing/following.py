"""Watching a run until it has ended, on standard error."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipeline.cli.pages.moments import current_time, seconds, shown
from pipeline.cli.pages.output import plain, table
from pipeline.cli.pages.streams import tell
from pipeline.cli.pages.styles import STEP_STYLES
from pipeline.cli.syncing.requests import Requested, answering_run
from pipeline.domain.runs import Lane, RunState, StepState
from pipeline.storage.database import Database
from pipeline.storage.reports.run_details import StepPage, read_steps
from pipeline.storage.reports.runs import RunSummary, read_run

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 10.0
"""How long nobody opens a run before it is said that nobody does."""


class RunDisplay:
    """Stages as they go: a table that moves in a terminal, a line per stage that has ended or waits elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, transient=True, auto_refresh=True, refresh_per_second=8)
        self._told: set[tuple[UUID, str]] = set()

    def __enter__(self) -> RunDisplay:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def update(self, run: RunSummary, steps: Sequence[StepPage]) -> None:
        if self._console.is_terminal:
            title = Spinner("dots", Text(f" {run.tenant}, run {run.id}, {seconds(run.seconds)}"))
            self._live.update(Group(title, _stages(steps), *(plain(line) for line in map(_obstacle, steps) if line)))
            return
        for line in (line for step in steps if (line := _obstacle(step) or _ending(step))):
            if (run.id, line) not in self._told:
                self._told.add((run.id, line))
                tell(f"{run.tenant}: {line}")


def _obstacle(step: StepPage) -> str:
    """Why the step has to be tried again, and when; empty when it need not."""
    if step.state is not StepState.WAITING or not step.error_message:
        return ""
    return f"{_name(step)} waits until {shown(step.due_at)} UTC: {step.error_message}"


def _ending(step: StepPage) -> str:
    """How the step ended; empty before that, and where it was not to be done."""
    if not step.state.ended or step.state is StepState.SKIPPED:
        return ""
    return f"{_name(step)} {step.state.value} in {seconds(step.seconds) or '0 ms'}"


def _name(step: StepPage) -> str:
    return step.stage.value if step.lane is Lane.MAIN else f"{step.stage.value} ({step.lane.value})"


def follow(database: Database, requested: Requested, *, longest: float) -> RunSummary | None:
    """The run as it ended, ``None`` when it has not ended within ``longest`` seconds."""
    begun = time.monotonic()
    hinted = False
    run_id: UUID | None = None
    with RunDisplay() as display:
        while (waited := time.monotonic() - begun) < longest:
            with database.begin() as connection:
                run_id = run_id or answering_run(connection, requested)
                if run_id is not None:
                    run = read_run(connection, run_id, current_time())
                    display.update(run, read_steps(connection, run_id))
                    if run.state is not RunState.RUNNING:
                        return run
            if run_id is None and not hinted and waited > PATIENCE_SECONDS:
                hinted = True
                tell("No worker has taken the run yet; `mspbyte doctor` says what is missing.")
            time.sleep(POLL_SECONDS)
    return None


def _stages(steps: Sequence[StepPage]) -> Table:
    numbers = ("took", "queries")
    rows = table("stage", "lane", "state", *numbers, right=numbers)
    for step in steps:
        rows.add_row(
            step.stage.value,
            step.lane.value,
            plain(step.state.value, STEP_STYLES[step.state]),
            seconds(step.seconds),
            "" if step.queries is None else str(step.queries),
        )
    return rows
