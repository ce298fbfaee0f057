"""The command line, ``mspbyte``: one file per noun, each loaded when it is called for."""

from __future__ import annotations

from pipeline.cli.program import app


def main() -> None:
    """The entry point; ends the process with 0 done, 1 failed run or check, 2 cannot be done, 130 interrupted."""
    app(prog_name="mspbyte")
