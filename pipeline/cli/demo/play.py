"""The demo from beginning to end: set the scene, watch, report, stay until Ctrl-C."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from rich.console import Console

from pipeline.cli.demo.report import print_next, print_report
from pipeline.cli.demo.results import Results, collect
from pipeline.cli.demo.scene import Scene, set_scene
from pipeline.cli.demo.watch import Watch
from pipeline.cli.local.processes import interruptible, until_interrupted


def run_demo(state_dir: Path, *, as_json: bool, leave: bool) -> int:
    """The exit status: 0 when every run succeeded, 1 when one failed.

    ``as_json`` prints one document on standard output and everything else on standard error; ``leave`` ends all that
    was started once the report is out, instead of staying for another terminal.
    """
    begun = time.monotonic()
    errors = Console(stderr=True)
    with interruptible(), set_scene(state_dir, errors) as scene:
        results, first = _follow(scene, errors, begun)
        if as_json:
            json.dump(results.document(first), sys.stdout)
            sys.stdout.write("\n")
            sys.stdout.flush()
        else:
            print_report(Console(), results, first)
        if not leave:
            _stay(scene, results, errors if as_json else Console())
    return 0 if all(tenant.status == "succeeded" for tenant in results.tenants) else 1


def _follow(scene: Scene, errors: Console, begun: float) -> tuple[Results, float | None]:
    watch = Watch(database=scene.database, tenants=scene.tenants, begun=begun, check=scene.processes.check)
    watch.until_all_ended(errors)
    with scene.database.begin() as connection:
        return collect(connection, scene.tenants), watch.first_alert_seconds


def _stay(scene: Scene, results: Results, console: Console) -> None:
    """Until Ctrl-C, or until one of the processes ends."""
    with until_interrupted(console):
        print_next(console, results)
        console.print("\nEverything keeps running; Ctrl-C stops it.")
        scene.processes.watch()
