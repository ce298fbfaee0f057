"""Ringing the dispatcher, so that a request is seen now and not at beat's next tick."""

from __future__ import annotations

import os

from celery import Celery
from kombu.exceptions import OperationalError

from pipeline.cli.environment import process_environment

DISPATCH = "tasks.schedule.dispatch_due_syncs"
EXPIRES_SECONDS = 10
"""A ring that nobody heard is worthless once beat has ticked."""


def ring() -> bool:
    """True when the broker took the message. The request is a row, so a broker that is down only delays it."""
    # celeryconfig reads the environment of the process it is imported in, as it does in workers.
    os.environ.update(process_environment())
    app = Celery("mspbyte", set_as_current=False)
    app.config_from_object("celeryconfig")
    # Without limits a publish waits for a broker that is down to come back.
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "max_retries": 0,
        "socket_connect_timeout": 2,
        "socket_timeout": 2,
    }
    try:
        app.send_task(DISPATCH, ignore_result=True, retry=False, expires=EXPIRES_SECONDS)
    except OperationalError:
        return False
    finally:
        app.close()
    return True
