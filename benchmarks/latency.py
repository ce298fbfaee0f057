"""From enqueue to start on an idle worker: the pipeline's Celery settings beside a bare Celery, in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import redis
from sqlalchemy.engine import make_url

from benchmarks import reports
from benchmarks.grounds import Grounds
from benchmarks.measuring import quantile
from benchmarks.rows import Goal, Measure, Row

SAMPLES = 300
GOALS = {0.5: ("p50", 5.0), 0.99: ("p99", 10.0)}
"""Quantile → its name and its bound in milliseconds."""
STOP_SECONDS = 20.0
LONGEST_SECONDS = 120.0
OWN_BROKER, BARE_BROKER, REPORTS = 11, 12, 13
"""Redis databases that nothing else of the pipeline uses; emptied first."""
WORKERS = {
    "own": ("benchmarks.celery_own", "-Q", reports.QUEUE, "--without-gossip", "--without-mingle"),
    "bare": ("benchmarks.celery_bare",),
}
"""Application and what the Procfile adds to a worker's command."""


def measure(grounds: Grounds) -> Iterator[Row]:
    """A row a quantile; the floor is the bare application's."""
    urls = {number: _numbered(grounds.redis_url, number) for number in (OWN_BROKER, BARE_BROKER, REPORTS)}
    for url in urls.values():
        with redis.Redis.from_url(url) as client:
            client.flushdb()
    environment = {
        **os.environ,
        **grounds.environment,
        "REDIS_URL": urls[OWN_BROKER],
        reports.BROKER: urls[BARE_BROKER],
        reports.REPORTS: urls[REPORTS],
    }
    environment.pop("CELERY_BROKER_URL", None)
    with ExitStack() as stack:
        for arguments in WORKERS.values():
            stack.enter_context(_worker(arguments, environment))
        samples = _ask(environment)
    for share, (name, bound) in GOALS.items():
        yield Row(
            name=f"latency {name}",
            size=f"{SAMPLES} tasks",
            median=quantile(samples["own"], share) * 1000,
            unit="ms",
            floor=quantile(samples["bare"], share) * 1000,
            goal=Goal(measure=Measure.MEDIAN, at_most=bound),
        )


def _numbered(redis_url: str, number: int) -> str:
    return make_url(redis_url).set(database=str(number)).render_as_string(hide_password=False)


def _ask(environment: Mapping[str, str]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.asking", str(SAMPLES)]
    done = subprocess.run(  # noqa: S603 - this interpreter, our own module
        command, env=environment, stdout=subprocess.PIPE, check=True, timeout=LONGEST_SECONDS
    )
    samples: dict[str, list[float]] = json.loads(done.stdout)
    return samples


@contextmanager
def _worker(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """A prefork worker of two processes, ended with the block."""
    app, *more = arguments
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "-n", f"{app}@%h", "--pool", "prefork", "-c", "2"]
    process = subprocess.Popen(  # noqa: S603 - this interpreter, our own module
        [*command, "--loglevel", "ERROR", *more], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
