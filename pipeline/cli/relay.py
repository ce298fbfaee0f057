"""``mspbyte relay``: the process that publishes the outbox to NATS."""

from __future__ import annotations

import signal
import threading

import typer

from pipeline.observability.logging import configure_logging
from pipeline.relay import run_relay
from pipeline.settings import load_settings

app = typer.Typer()


@app.command()
def relay() -> None:
    """Publish events from the outbox to NATS JetStream, until SIGTERM."""
    settings = load_settings()
    configure_logging(settings)
    stopping = threading.Event()
    # SIGQUIT as well: the environment that remaps Celery's SIGTERM is shared by every process.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: stopping.set())
    run_relay(settings, stopping)
