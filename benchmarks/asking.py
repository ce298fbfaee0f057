"""Asks two idle workers in turn for the same empty task; prints the seconds to each start as JSON.

A process of its own, because the pipeline's Celery settings are read from the environment when they are imported.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import redis

from benchmarks import celery_bare, celery_own, reports

WARM_UP = 20
IDLE_SECONDS = 0.03
"""Before each sample, so that a worker waits for work and never finishes the sample before."""
LOST_AFTER_SECONDS = 30
TASKS: dict[str, Any] = {"own": celery_own.report_start, "bare": celery_bare.report_start}


def main(samples: int) -> None:
    """``{"own": […], "bare": […]}``."""
    pause = threading.Event()
    found: dict[str, list[float]] = {name: [] for name in TASKS}
    with redis.Redis.from_url(os.environ[reports.REPORTS]) as client:
        for _ in range(WARM_UP + samples):
            for name, task in TASKS.items():
                pause.wait(IDLE_SECONDS)
                found[name].append(_seconds_to_start(client, name, task))
    print(json.dumps({name: seconds[WARM_UP:] for name, seconds in found.items()}))


def _seconds_to_start(client: redis.Redis, name: str, task: Any) -> float:  # noqa: ANN401 - Celery ships no types
    task.apply_async(args=(name, time.monotonic()))
    told = client.blpop([name], timeout=LOST_AFTER_SECONDS)
    if not isinstance(told, (list, tuple)):
        raise TimeoutError(f"the {name} worker started nothing within {LOST_AFTER_SECONDS} s")
    return float(told[1])


if __name__ == "__main__":
    main(int(sys.argv[1]))
