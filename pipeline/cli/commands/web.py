"""``mspbyte web``: health, metrics and change notifications over HTTP."""

from __future__ import annotations

from pipeline.cli.connections.environment import service_settings
from pipeline.cli.grammar import noun
from pipeline.web.server import serve_web

app = noun()


@app.command()
def web() -> None:
    """Serve /health, /metrics and /notifications on WEB_PORT, until SIGTERM."""
    serve_web(service_settings())
