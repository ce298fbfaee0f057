"""What all processes granted, in Redis: one script a request, and Redis's clock for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from pipeline.errors import ServerUnavailableError
from pipeline.providers.microsoft365.throttling import pacing, scripts
from pipeline.providers.microsoft365.throttling.buckets import Lane
from pipeline.providers.microsoft365.throttling.store import Draw, Places

ANSWER_SECONDS = 0.25
"""Redis answers within milliseconds or is not there; no request to Microsoft waits for it longer than that."""

RECONNECTS = 1
"""Tries after the first: that a connection was closed while it lay in the pool shows when it is used."""


class RedisStore:
    """One a process, made after any fork; it connects when first used. Threads wait for Redis, event loops don't:
    a connection outlives the loop of a single reading."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), RECONNECTS),
        )
        self._reserve = self._redis.register_script(scripts.RESERVE)
        self._hold = self._redis.register_script(scripts.HOLD)
        self._slow_down = self._redis.register_script(scripts.SLOW_DOWN)
        self._learn = self._redis.register_script(scripts.LEARN)

    async def reserve(self, draws: Sequence[Draw], *, patience: float, low: bool) -> Places:
        given = [min(patience, scripts.KEPT_SECONDS), int(low), pacing.LATE, pacing.NEARLY]
        for draw in draws:
            given += _figures(draw)
        count, wait, at, refused = await _run(self._reserve, [draw.key for draw in draws], given)
        return Places(count=count, wait=float(wait), at=float(at), refused=bool(refused))

    async def hold(self, draw: Draw, seconds: float) -> None:
        bursts = [pacing.burst_seconds(draw.limit, lane) for lane in (draw.pace.common, draw.pace.reserved)]
        await _run(self._hold, [draw.key], [seconds, *bursts])

    async def slow_down(self, draw: Draw, used: float) -> None:
        await _run(self._slow_down, [draw.key], [used])

    async def learn(self, draw: Draw) -> None:
        await _run(self._learn, [draw.key], [draw.limit.units])


NO_LANE = Lane(share=0.0)


def _figures(draw: Draw) -> list[float]:
    common, reserved = draw.pace.common, draw.pace.reserved or NO_LANE
    ticket = (draw.ticket.got_at, draw.ticket.due) if draw.ticket else (0.0, 0.0)
    lanes = (common.share, common.burst, reserved.share, reserved.burst)
    return [draw.units, *ticket, draw.limit.units, draw.limit.seconds, *lanes]


async def _run(script: Script, keys: Sequence[str], arguments: Sequence[float]) -> Any:  # noqa: ANN401 - Redis's answer
    try:
        return await asyncio.to_thread(script, keys=list(keys), args=list(arguments))
    except (redis.RedisError, OSError) as error:
        raise ServerUnavailableError(f"Redis does not answer ({type(error).__name__})") from error
