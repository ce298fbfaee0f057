"""How a worker of the latency benchmark tells when a task started."""

from __future__ import annotations

import os
import time

import redis

BROKER = "BENCHMARK_BARE_BROKER"
REPORTS = "BENCHMARK_REPORTS"
"""Environment variables: the bare application's broker, and the Redis that samples are reported to."""

QUEUE = "maintenance"
"""One of the pipeline's queues; its own list allows no other."""


def report_start(key: str, asked_at: float) -> None:
    """Pushes the seconds since the task was asked for; processes of one machine share the monotonic clock."""
    seconds = time.monotonic() - asked_at
    with redis.Redis.from_url(os.environ[REPORTS]) as client:
        client.rpush(key, repr(seconds))
