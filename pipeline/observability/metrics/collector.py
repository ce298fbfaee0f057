"""The registry of the exporter: one collector that asks the ledger and the broker at each scrape."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pipeline.errors import TransientError
from pipeline.flags.environment import starting_point
from pipeline.observability.metrics import families
from pipeline.observability.metrics.broker import BrokerReader
from pipeline.observability.metrics.reading import LedgerReader
from pipeline.settings import Settings
from pipeline.storage.database import Database

log = structlog.get_logger(__name__)


class SystemCollector(Collector):
    """What ledger, broker and settings say. A server that does not answer costs its own metrics only."""

    def __init__(self, settings: Settings, ledger: LedgerReader, broker: BrokerReader) -> None:
        self._settings = settings
        self._ledger = ledger
        self._broker = broker
        # Scrapes come in threads, and the ledger's reader counts on from where it was.
        self._turn = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """All families, read now."""
        with self._turn:
            ledger = self._ask_ledger()
            queues = self._ask_broker()
        yield from families.of_flags(starting_point(self._settings))
        yield from ledger or ()
        if queues is not None:
            yield queues
        yield families.of_servers({"postgresql": ledger is not None, "broker": queues is not None})

    def _ask_ledger(self) -> list[Metric] | None:
        try:
            return list(families.of_ledger(self._ledger.read()))
        except TransientError as error:
            log.warning("ledger_not_read", error=type(error).__name__, reason=str(error))
            return None

    def _ask_broker(self) -> Metric | None:
        try:
            return families.of_queues(self._broker.depths())
        except TransientError as error:
            log.warning("broker_not_read", error=type(error).__name__, reason=str(error))
            return None


class Metrics(AbstractContextManager["Metrics"]):
    """The registry with the connections behind it; closing it gives them back."""

    def __init__(self, settings: Settings) -> None:
        self._broker = BrokerReader(settings.broker_url)
        self.database = Database(settings.require("database_url"), pool_size=1)
        self.registry = CollectorRegistry()
        self.registry.register(SystemCollector(settings, LedgerReader(self.database, settings, _utc_now), self._broker))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._broker.close()
        self.database.close()


def _utc_now() -> datetime:
    return datetime.now(UTC)
