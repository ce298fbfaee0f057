"""``python -m benchmarks [--only NAME] [--json]``: the table, or one JSON document, on standard output."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence

import psycopg
from rich.console import Console

from benchmarks.catalogue import BENCHMARKS
from benchmarks.grounds import Grounds, opened
from benchmarks.rows import Row, to_json, to_table
from pipeline.observability.logging import configure_logging

PIPED_WIDTH = 120
"""Columns of a table that is not shown on a terminal."""


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = _parser().parse_args(arguments)
    names = chosen.only or list(BENCHMARKS)
    with opened(os.environ) as grounds:
        configure_logging(grounds.settings)
        rows = list(_measured(names, grounds))
        machine = _machine(grounds)
    if chosen.json:
        print(to_json(rows, machine))
    else:
        Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(to_table(rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast the pipeline is.")
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="this benchmark; may be repeated")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    return parser


def _measured(names: Sequence[str], grounds: Grounds) -> Iterator[Row]:
    """The rows; progress goes to standard error, and only where somebody looks."""
    progress = Console(stderr=True, quiet=not sys.stderr.isatty())
    for name in names:
        with progress.status(f"{name} …"):
            yield from BENCHMARKS[name](grounds)


def _machine(grounds: Grounds) -> dict[str, object]:
    with psycopg.connect(grounds.database_url.replace("+psycopg", "", 1)) as connection:
        server = connection.info.server_version // 10_000
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "postgresql": server,
        "platform": f"{platform.system()} {platform.machine()}",
    }


if __name__ == "__main__":
    main()
