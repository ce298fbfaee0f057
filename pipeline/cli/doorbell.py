"""Ringing the dispatcher, so that a request is seen now and not at beat's next tick."""

from __future__ import annotations

from kombu.exceptions import OperationalError

from pipeline.cli.broker import broker_client
from pipeline.settings import Settings

DISPATCH = "tasks.schedule.dispatch_due_syncs"
EXPIRES_SECONDS = 10
"""A ring that nobody heard is worthless once beat has ticked."""


def ring(settings: Settings) -> bool:
    """True when the broker took the message. The request is a row, so a broker that is down only delays it."""
    with broker_client(settings) as app:
        try:
            app.send_task(DISPATCH, ignore_result=True, retry=False, expires=EXPIRES_SECONDS)
        except OperationalError:
            return False
    return True
