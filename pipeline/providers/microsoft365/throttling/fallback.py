"""The shared store while it answers, else this process's own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from pipeline.errors import ServerUnavailableError
from pipeline.providers.microsoft365.throttling.redis_store import RedisStore
from pipeline.providers.microsoft365.throttling.store import Draw, LocalStore, PaceStore, Places

log = structlog.get_logger(__name__)

T = TypeVar("T")
ALONE_SECONDS = 5.0
"""Until the shared store is asked again after it did not answer."""


class SharedElseLocal:
    """No reading fails, or waits for long, because Redis is away. Tells once when it goes and once when it is back."""

    def __init__(self, shared: PaceStore, local: PaceStore, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._local = local
        self._monotonic = monotonic
        self._away = False
        self._ask_again_at = float("-inf")

    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        return await self._done(lambda store: store.reserve(draws, patience=patience, low=low))

    async def hold(self, draw: Draw, seconds: float) -> None:
        await self._done(lambda store: store.hold(draw, seconds))

    async def slow_down(self, draw: Draw, used: float) -> None:
        await self._done(lambda store: store.slow_down(draw, used))

    async def learn(self, draw: Draw) -> None:
        await self._local.learn(draw)
        await self._done(lambda store: store.learn(draw))

    async def _done(self, action: Callable[[PaceStore], Awaitable[T]]) -> T:
        if self._monotonic() < self._ask_again_at:
            return await action(self._local)
        try:
            done = await action(self._shared)
        except ServerUnavailableError as error:
            self._left_alone(error)
            return await action(self._local)
        if self._away:
            log.info("graph_limiter_shared")
        self._away = False
        return done

    def _left_alone(self, error: ServerUnavailableError) -> None:
        if not self._away:
            log.warning("graph_limiter_alone", error=type(error.__cause__ or error).__name__)
        self._away = True
        self._ask_again_at = self._monotonic() + ALONE_SECONDS


def open_store(redis_url: str | None) -> PaceStore:
    """The store of a process, made after any fork; it connects when first used.

    Workers share a Redis: where none is named, as in ``mspbyte sync --local``, this process is the only one.
    """
    if redis_url is None:
        return LocalStore(others=False)
    return SharedElseLocal(RedisStore(redis_url), LocalStore())
