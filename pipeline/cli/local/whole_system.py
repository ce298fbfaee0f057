"""The whole system on this machine, on embedded servers where the environment names none."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from pipeline.cli.connections.environment import told_settings
from pipeline.cli.local.processes import (
    Processes,
    beat_command,
    interruptible,
    mspbyte_command,
    until_interrupted,
    worker_command,
)
from pipeline.cli.local.state_folder import deciding_variables, leave_environment, local_secret_key, require_free
from pipeline.embedded import servers_for
from pipeline.storage import schema
from pipeline.wiring import open_database

POOLS = {
    "router": (("router",), 1),
    "worker-legacy": (("sync.legacy", "analyze.legacy"), 1),
    "worker-new": (("sync.new", "analyze.new"), 2),
    "worker-alerts": (("alerts", "compare", "outbox", "maintenance"), 1),
}
"""Worker pools by name: queues and processes. Smaller than the Procfile's, for one machine."""


def run_up(state_dir: Path) -> None:
    """Starts everything and stays until Ctrl-C; raises ``ProcessEndedError`` when one of the processes ends."""
    console = Console(stderr=True)
    with interruptible(), ExitStack() as stack:
        state_dir.mkdir(parents=True, exist_ok=True)
        require_free(state_dir)
        urls = stack.enter_context(servers_for(os.environ, state_dir))
        environment = {
            "SECRET_KEY": os.environ.get("SECRET_KEY") or local_secret_key(state_dir),
            **urls.environment(),
        }
        settings = told_settings({**os.environ, **environment})
        database = open_database(settings)
        with database.begin() as connection:
            schema.upgrade(connection)
        database.close()
        processes = stack.enter_context(Processes(environment=environment, logs=state_dir / "logs"))
        for name, (queues, concurrency) in POOLS.items():
            processes.start(name, worker_command(name, queues, concurrency))
        processes.start("beat", beat_command())
        for name in ("relay", "web", "exporter"):
            processes.start(name, mspbyte_command(name))
        left = leave_environment(state_dir, {**deciding_variables(settings), **environment})
        stack.callback(left.unlink, missing_ok=True)
        _say(console, settings.web_port, settings.metrics_port, state_dir)
        with until_interrupted(console):
            processes.watch()


def _say(console: Console, web_port: int, metrics_port: int, state_dir: Path) -> None:
    console.print(f"Health   http://127.0.0.1:{web_port}/health", highlight=False)
    console.print(f"Metrics  http://127.0.0.1:{metrics_port}/metrics", highlight=False)
    console.print(f"Logs     {state_dir / 'logs'}", highlight=False)
    console.print("Next     mspbyte tenant add NAME, in another terminal; Ctrl-C here stops everything.")
