"""``mspbyte exporter``: the metrics that stand in the ledger and the broker."""

from __future__ import annotations

from pipeline.cli.connections.environment import service_settings
from pipeline.cli.grammar import noun
from pipeline.observability.metrics.exporter import serve_exporter

app = noun()


@app.command()
def exporter() -> None:
    """Serve /metrics on METRICS_PORT for Prometheus, until SIGTERM."""
    serve_exporter(service_settings())
