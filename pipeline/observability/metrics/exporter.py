"""The exporter process: serves the metrics on ``METRICS_PORT`` until it is told to stop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from pipeline.errors import SettingError
from pipeline.settings import Settings

log = structlog.get_logger(__name__)

EVERYWHERE = "0.0.0.0"  # noqa: S104 - Prometheus comes from another host; what is served names no tenant
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""SIGQUIT as well: the environment that remaps Celery's SIGTERM is shared by every process."""


def serve_exporter(settings: Settings, host: str = EVERYWHERE) -> None:
    """Blocks until SIGTERM, SIGINT or SIGQUIT; for the main thread of ``mspbyte exporter``.

    With ``ENABLE_PROMETHEUS=false`` it waits all the same: a process that ends makes honcho end the others.
    Raises ``SettingError`` when a URL is missing or the port cannot be had.
    """
    stopping = threading.Event()
    for number in STOPPING:
        signal.signal(number, lambda *_: stopping.set())
    if not settings.enable_prometheus:
        log.info("exporter_off", reason="ENABLE_PROMETHEUS is false")
        stopping.wait()
        return
    with exporter(settings, host) as port:
        sys.stdout.write(f"Metrics on http://{host}:{port}/metrics\n")
        sys.stdout.flush()
        stopping.wait()


@contextmanager
def exporter(settings: Settings, host: str = EVERYWHERE) -> Iterator[int]:
    """The port on which the metrics are served, by threads of this process, until the block ends."""
    # Imported here: with metrics off, none of it is loaded.
    from prometheus_client import start_http_server  # noqa: PLC0415 - costs nothing where metrics are off

    from pipeline.observability.metrics.collector import Metrics  # noqa: PLC0415 - as above

    with Metrics(settings) as metrics:
        try:
            server, thread = start_http_server(settings.metrics_port, host, metrics.registry)
        except OSError as error:
            raise SettingError(
                f"METRICS_PORT is {settings.metrics_port}, which cannot be used on {host} ({error.strerror}); "
                "use a free port, or 0 for any."
            ) from None
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
