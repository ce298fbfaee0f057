"""``mspbyte web``: health and metrics over HTTP."""

from __future__ import annotations

import typer

from pipeline.observability.logging import configure_logging
from pipeline.settings import load_settings
from pipeline.web.server import serve_web

app = typer.Typer()


@app.command()
def web() -> None:
    """Serve /health and /metrics on WEB_PORT, until SIGTERM."""
    settings = load_settings()
    configure_logging(settings)
    serve_web(settings)
