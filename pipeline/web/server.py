"""The process ``mspbyte web``: the application on a port, until it is told to stop."""

from __future__ import annotations

import signal
import socket
import sys

import uvicorn

from pipeline.errors import SettingError
from pipeline.settings import Settings
from pipeline.web.app import create_app

EVERYWHERE = "0.0.0.0"  # noqa: S104 - load balancers and Prometheus come from other hosts; no page names a tenant
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""SIGQUIT as well: the environment that remaps Celery's SIGTERM is shared by every process."""


def serve_web(settings: Settings, host: str = EVERYWHERE, port: int | None = None) -> None:
    """Blocks until SIGTERM, SIGINT or SIGQUIT; for the main thread. The address is printed once it is bound.

    ``port`` defaults to ``WEB_PORT``; 0 takes a free one. Raises ``SettingError`` when the port cannot be had.
    """
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), log_config=None, access_log=False, server_header=False)
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises the signals it has caught again when it ends; these handlers make that an orderly end.
    for number in STOPPING:
        signal.signal(number, stop)
    with _bind(host, settings.web_port if port is None else port) as listener:
        sys.stdout.write(f"Health on http://{host}:{listener.getsockname()[1]}/health\n")
        sys.stdout.flush()
        server.run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingError(
            f"WEB_PORT is {port}, which cannot be used on {host} ({error.strerror}); use a free port, or 0 for any."
        ) from None
