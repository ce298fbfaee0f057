"""What one worker process holds: its settings, its wiring, its log. Built after the fork."""

from __future__ import annotations

from functools import cache

from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import beat_init, setup_logging, worker_process_init, worker_process_shutdown

from pipeline.observability.logging import configure_logging
from pipeline.settings import Settings, load_settings
from pipeline.stages.subscriptions import Keeper
from pipeline.subscribing import build_keeper
from pipeline.wiring import Wiring, build


@cache
def settings() -> Settings:
    return load_settings()


@cache
def wiring() -> Wiring:
    """This process's parts; made on first use and never carried over a fork."""
    return build(settings(), interruptions=(SoftTimeLimitExceeded,))


@cache
def keeper() -> Keeper:
    """On this process's database; made by the first tick it is given."""
    return build_keeper(settings(), wiring().database)


@setup_logging.connect
def _logging(**_: object) -> None:
    configure_logging(settings())


@worker_process_init.connect
def _fresh(**_: object) -> None:
    """A forked child starts with nothing of its parent's; the first step then finds everything ready."""
    settings.cache_clear()
    wiring.cache_clear()
    keeper.cache_clear()
    wiring()


@worker_process_shutdown.connect
def _close(**_: object) -> None:
    if wiring.cache_info().currsize:
        wiring().close()


@beat_init.connect
def _beat(**_: object) -> None:
    settings()
