"""A process that draws from one bucket in Redis as fast as it may; its argument is the URL of Redis.

It tells when it is ready, is told until when to draw, in seconds since 1970, and tells what it was granted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import replace

from pipeline.providers.microsoft365.throttling.buckets import Bucket, Limit
from pipeline.providers.microsoft365.throttling.pacing import LATE, Ticket
from pipeline.providers.microsoft365.throttling.redis_store import RedisStore
from pipeline.providers.microsoft365.throttling.store import Draw, PaceStore

LIMIT = Limit(units=100, seconds=1.0)
DRAW = Draw(key="test:shared", units=2, limit=LIMIT, pace=Bucket.IDENTITY.pace)
READERS = 4


async def main(url: str) -> list[float]:
    """The moments of its grants, by the clock of Redis."""
    store, moments = RedisStore(url), list[float]()
    _tell("ready")
    until = float(sys.stdin.readline())
    await asyncio.gather(*(_draw_again_and_again(store, until, moments) for _ in range(READERS)))
    return moments


async def _draw_again_and_again(store: PaceStore, until: float, moments: list[float]) -> None:
    while time.time() < until:
        moments.append(await _granted(store))


async def _granted(store: PaceStore) -> float:
    draw, due = DRAW, 0.0
    while True:
        places = await store.reserve([draw], patience=60.0, low=True)
        if places.wait <= 0:
            return due if places.at <= due + LATE else places.at
        due = places.at + places.wait
        draw = replace(DRAW, ticket=Ticket(got_at=places.at, due=due))
        await asyncio.sleep(places.wait)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _tell(json.dumps(asyncio.run(main(sys.argv[1]))))
