"""``mspbyte capture``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import RunArgument, noun
from pipeline.cli.pages.moments import current_time
from pipeline.cli.pages.streams import say
from pipeline.errors import UserError
from pipeline.providers.folder import write_folder
from pipeline.storage.captures import load_capture
from pipeline.storage.reports.runs import find_run

app = noun("What a run read from its tenant.")


@app.callback()
def group() -> None:
    """What a run read from its tenant."""


@app.command()
def export(
    run: RunArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if need be.")],
) -> None:
    """Write a run's capture as a folder of JSON that `mspbyte analyze` reads. It holds the tenant's personal data."""
    with opened_database() as database, database.begin() as connection:
        found = find_run(connection, run, current_time())
        capture = load_capture(connection, found.scope, found.id)
        if capture is None:
            raise UserError(
                f"Run {found.id} has no capture: none was taken, or it is past CAPTURE_RETENTION_DAYS. "
                "`mspbyte sync` takes a new one."
            )
        if any(outcome.changes_only for outcome in capture.outcomes.values()):
            raise UserError(
                f"Run {found.id} read changes only, which tell nothing of the whole tenant. `mspbyte sync` reads "
                "everything; export its run."
            )
        write_folder(folder, capture.pages(), capture.outcomes)
    say(f"Wrote the capture of run {found.id} to {folder}. Read it with `mspbyte analyze {folder}`.")
