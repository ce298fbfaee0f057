"""``mspbyte demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.demo.play import run_demo
from pipeline.cli.grammar import noun
from pipeline.cli.local.state_folder import DEMO
from pipeline.embedded import default_state_dir

app = noun()


@app.command()
def demo(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything once the report is out.")] = False,
) -> None:
    """Sync five simulated tenants, on legacy, on new and compared, with everything that takes."""
    raise typer.Exit(run_demo(default_state_dir() / DEMO, as_json=as_json, leave=leave))
