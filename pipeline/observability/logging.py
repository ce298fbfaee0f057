"""Logs: static event names with fields, JSON where machines read and columns where people do.

``LOG_LEVEL=debug`` is for this system's own loggers. At that level the libraries tell whole requests: msal the
assertion a certificate signed, httpx the addresses with their page tokens, drivers the rows.
"""

from __future__ import annotations

import logging
import sys

import structlog

from pipeline.observability.crashes import told
from pipeline.settings import Settings

OWN = ("analyzers", "graphsim", "legacy", "pipeline", "tasks")
NOISY = (
    "alembic",
    "asyncio",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "httpcore",
    "httpx",
    "msal",
    "sqlalchemy",
    "urllib3",
)
"""Loggers that tell of every request, statement or message; beat's ticks alone would be four lines a second."""


def configure_logging(settings: Settings) -> None:
    """Sets up structlog and hands the standard library's records to it; everything goes to standard error."""
    level = logging.getLevelName(settings.log_level.upper())
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(told),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.INFO))
    for own in OWN:
        logging.getLogger(own).setLevel(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
