"""``mspbyte up``: the whole system on this machine, on embedded servers where the environment names none."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path

import typer
from rich.console import Console

from pipeline.cli.local_state import leave_environment, local_secret_key
from pipeline.cli.processes import Processes, beat_command, interruptible, mspbyte_command, worker_command
from pipeline.embedded import default_state_dir, servers_for
from pipeline.settings import load_settings
from pipeline.storage import schema
from pipeline.wiring import open_database

app = typer.Typer()
INTERRUPTED = 130


@app.command()
def up() -> None:
    """Run the whole system here; embedded servers where the environment names none."""
    try:
        run_up(default_state_dir())
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


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
        urls = stack.enter_context(servers_for(os.environ, state_dir))
        environment = {
            "SECRET_KEY": os.environ.get("SECRET_KEY") or local_secret_key(state_dir),
            **urls.environment(),
        }
        settings = load_settings({**os.environ, **environment})
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
        stack.callback(leave_environment(state_dir, environment).unlink, missing_ok=True)
        _say(console, settings.web_port, settings.metrics_port, state_dir)
        _stay(console, processes)


def _say(console: Console, web_port: int, metrics_port: int, state_dir: Path) -> None:
    console.print(f"Health   http://127.0.0.1:{web_port}/health", highlight=False)
    console.print(f"Metrics  http://127.0.0.1:{metrics_port}/metrics", highlight=False)
    console.print(f"Logs     {state_dir / 'logs'}", highlight=False)
    console.print("Next     mspbyte tenant add NAME, in another terminal; Ctrl-C here stops everything.")


def _stay(console: Console, processes: Processes) -> None:
    pause = threading.Event()
    try:
        while not pause.wait(0.5):
            processes.check()
    except KeyboardInterrupt:
        console.print("Stopping …")
