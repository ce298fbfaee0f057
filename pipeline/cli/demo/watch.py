"""Waiting for the demo's runs, with progress on standard error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from pipeline.cli.demo.tenants import DemoTenant
from pipeline.errors import PipelineError
from pipeline.storage.database import Database

POLL_SECONDS = 0.05
LIMIT_SECONDS = 180.0


class DemoTooSlowError(PipelineError):
    """The runs did not end within the demo's limit."""


STATE = text("""
SELECT r.tenant_id, r.state, count(s.*) AS steps, count(s.*) FILTER (WHERE s.state = 'done') AS done,
       string_agg(s.stage, ', ' ORDER BY s.position) FILTER (WHERE s.state = 'running') AS now
  FROM runs r JOIN run_steps s ON s.run_id = r.id WHERE r.tenant_id = ANY(:tenants) GROUP BY r.id
""")
ANY_ALERT = text("SELECT EXISTS (SELECT 1 FROM alerts WHERE tenant_id = ANY(:tenants))")


@dataclass(slots=True)
class Watch:
    """Follows the tenants' runs until each has ended; notes when the first alert stands."""

    database: Database
    tenants: Sequence[DemoTenant]
    begun: float
    """``time.monotonic()`` at the start of the demo."""
    check: Callable[[], None]
    """Raises when a process that should run has ended."""
    first_alert_seconds: float | None = None

    def until_all_ended(self, console: Console) -> None:
        """Returns when no run is under way; raises ``DemoTooSlowError`` after three minutes."""
        pause = threading.Event()
        deadline = time.monotonic() + LIMIT_SECONDS
        with _progress(console) as progress:
            bars = {tenant.scope.tenant_id: progress.add_task(tenant.name, total=5, note="") for tenant in self.tenants}
            while not self._look(progress, bars):
                self.check()
                if time.monotonic() > deadline:
                    raise DemoTooSlowError("The runs did not end in three minutes; the processes' logs say why.")
                pause.wait(POLL_SECONDS)

    def _look(self, progress: Progress, bars: dict[int, TaskID]) -> bool:
        values = {"tenants": list(bars)}
        with self.database.begin() as connection:
            rows = connection.execute(STATE, values).all()
            alerted = self.first_alert_seconds is not None or connection.execute(ANY_ALERT, values).scalar_one()
        if alerted and self.first_alert_seconds is None:
            self.first_alert_seconds = round(time.monotonic() - self.begun, 2)
        for row in rows:
            note = row.now or ("" if row.state == "running" else row.state)
            progress.update(bars[row.tenant_id], total=row.steps, completed=row.done, note=note)
        return len(rows) == len(bars) and all(row.state != "running" for row in rows)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} steps"),
        TextColumn("{task.fields[note]}", style="dim"),
        TimeElapsedColumn(),
        console=console,
    )
