"""How many statements a piece of work sends to PostgreSQL, and how long they take.

Counted at the driver by SQLAlchemy's cursor events, so that nothing is missed; COPY and other statements that go
past SQLAlchemy report themselves through ``timed``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine, event

log = structlog.get_logger(__name__)

Row = TypeVar("Row")


@dataclass(slots=True)
class QueryTally:
    """Statements and the seconds spent waiting for them."""

    count: int = 0
    seconds: float = 0.0


_tally: ContextVar[QueryTally | None] = ContextVar("query_tally", default=None)


@contextmanager
def counting() -> Iterator[QueryTally]:
    """A tally of every statement this context sends until the block ends; blocks do not nest into each other."""
    tally = QueryTally()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)


@contextmanager
def timed(operation: str, *, slow_ms: float = float("inf")) -> Iterator[None]:
    """Counts one statement; logs it by name, never by text, when it is slow."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        _add(time.perf_counter() - begun, operation, slow_ms)


def timed_rows(operation: str, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, counted as one statement when they have ended; the time between two of them is the caller's."""
    waited = 0.0
    try:
        while True:
            begun = time.perf_counter()
            row = next(rows, None)
            waited += time.perf_counter() - begun
            if row is None:
                return
            yield row
    finally:
        _add(waited, operation, float("inf"))


def track(engine: Engine, *, slow_ms: float) -> None:
    """Counts every statement of the engine from now on; logs the ones slower than ``slow_ms`` milliseconds."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, *_rest: object) -> None:
        connection.info["mspbyte_begun"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        seconds = time.perf_counter() - connection.info["mspbyte_begun"]
        _add(seconds, statement.split(None, 1)[0].lower(), slow_ms)


def _add(seconds: float, operation: str, slow_ms: float) -> None:
    tally = _tally.get()
    if tally is not None:
        tally.count += 1
        tally.seconds += seconds
    if seconds * 1000 > slow_ms:
        log.warning("slow_query", operation=operation, ms=round(seconds * 1000, 1))
