"""``mspbyte exporter``: the metrics that stand in the ledger and the broker."""

from __future__ import annotations

import typer

from pipeline.observability.logging import configure_logging
from pipeline.observability.metrics.exporter import serve_exporter
from pipeline.settings import load_settings

app = typer.Typer()


@app.command()
def exporter() -> None:
    """Serve /metrics on METRICS_PORT for Prometheus, until SIGTERM."""
    settings = load_settings()
    configure_logging(settings)
    serve_exporter(settings)
