"""``mspbyte relay``: the process that publishes the outbox to NATS."""

from __future__ import annotations

import signal
import threading

from pipeline.cli.connections.environment import service_settings
from pipeline.cli.grammar import noun
from pipeline.relay import run_relay

app = noun()


@app.command()
def relay() -> None:
    """Publish events from the outbox to NATS JetStream, until SIGTERM."""
    settings = service_settings()
    stopping = threading.Event()
    # SIGQUIT as well: the environment that remaps Celery's SIGTERM is shared by every process.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: stopping.set())
    run_relay(settings, stopping)
