"""``mspbyte up``."""

from __future__ import annotations

from pipeline.cli.grammar import noun
from pipeline.cli.local.whole_system import run_up
from pipeline.embedded import default_state_dir

app = noun()


@app.command()
def up() -> None:
    """Run the whole system here; embedded servers where the environment names none."""
    run_up(default_state_dir())
