"""The broker as one command uses it: it gives up within seconds, where workers wait for as long as it takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from amqp.exceptions import AMQPError
from celery import Celery
from kombu.exceptions import OperationalError

from pipeline.cli.connections.environment import process_environment
from pipeline.settings import Settings

UNREACHABLE = (OperationalError, AMQPError)
"""No broker there, or one that refuses us: wrong password, no such virtual host."""
CONNECT_SECONDS = 2
DISPATCH = "tasks.schedule.dispatch_due_syncs"
EXPIRES_SECONDS = 10
"""A ring that nobody heard is worthless once beat has ticked."""


@contextmanager
def broker_client(settings: Settings) -> Iterator[Celery]:
    """Celery with this system's queues and nothing of its tasks."""
    # celeryconfig reads the environment of the process it is imported in, as it does in workers.
    os.environ.update(process_environment())
    app = Celery("mspbyte", set_as_current=False)
    app.config_from_object("celeryconfig")
    app.conf.broker_url = settings.broker_url
    # Without limits a publish waits for a broker that is down to come back.
    limits: dict[str, object] = {"max_retries": 0}
    if urlsplit(app.conf.broker_url).scheme.startswith("redis"):
        limits |= {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **limits}
    app.conf.broker_connection_timeout = CONNECT_SECONDS
    try:
        yield app
    finally:
        app.close()


def broker_variable(settings: Settings) -> str:
    """The variable that names the broker here."""
    return "CELERY_BROKER_URL" if settings.celery_broker_url else "REDIS_URL"


def ring_dispatcher(settings: Settings) -> bool:
    """Has requests seen now and not at beat's next tick; true when the broker took the message.

    A request is a row, so a broker that is down only delays it.
    """
    with broker_client(settings) as app:
        try:
            app.send_task(DISPATCH, ignore_result=True, retry=False, expires=EXPIRES_SECONDS)
        except UNREACHABLE:
            return False
    return True
