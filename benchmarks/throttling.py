"""Eight processes ask for one tenant as fast as the limiter lets them; the simulator's own meter watches."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.grounds import Grounds
from benchmarks.hammering import READY, Orders
from benchmarks.rows import Goal, Measure, Row
from graphsim.directory.groups import license_group_id
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.trouble.limits import Bucket
from graphsim.trouble.meter import Reading
from pipeline.providers.microsoft365.throttling.limiter import Tally

PROCESSES = 8
SECONDS = 60.0
USERS = 40
"""A tenant of the smallest limit: the simulator shares its cores with those who ask."""

TENANT = 0
LONGEST_WINDOW = 10.0
"""Seconds of asking before the measurement: from then on no window begins in the quiet before it."""

PATHS = (
    *("/groups/{group}/transitiveMembers",) * 6,
    "/users?$top=5",
    "/subscribedSkus",
    "/identity/conditionalAccess/policies",
    "/identity/conditionalAccess/namedLocations",
    "/reports/authenticationMethods/userRegistrationDetails",
)
MEASURED = (Bucket.IDENTITY, Bucket.REPORTS, Bucket.CONDITIONAL_ACCESS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """Of the tenant's buckets, as the simulator saw it, and what the limiters of all processes did."""

    readings: Mapping[Bucket, Reading]
    tallies: Sequence[Tally]

    def peak_share(self, bucket: Bucket) -> float:
        """The most that was asked for in any sliding window, as a share of the limit."""
        return self.readings[bucket].peak_demand / self.readings[bucket].limit

    def mean_share(self, bucket: Bucket) -> float:
        return self.readings[bucket].mean_share


def measure(grounds: Grounds) -> Iterator[Row]:
    """Two rows a bucket: its fullest window, and what was left unused of it, as shares of the limit."""
    with TemporaryDirectory() as folder:
        use = hammered(grounds.redis_url, Path(folder), seconds=SECONDS)
    for bucket in MEASURED:
        size = f"{PROCESSES} processes"
        yield Row(
            name=f"throttling {bucket.value}, fullest window",
            size=size,
            median=use.peak_share(bucket),
            unit="of limit",
            goal=Goal(measure=Measure.MEDIAN, at_most=1.0),
        )
        yield Row(
            name=f"throttling {bucket.value}, left unused",
            size=size,
            median=1 - use.mean_share(bucket),
            unit="of limit",
            goal=Goal(measure=Measure.MEDIAN, at_most=0.2),
        )


def hammered(redis_url: str, folder: Path, *, seconds: float) -> Use:
    """What ``PROCESSES`` made of the limits in so many seconds, once they were all at it."""
    config = SimulatorConfig(tenants=1, users=USERS, throttle=True)
    with RunningSimulator(config, folder) as running:
        orders = msgspec.json.encode(_orders(running, redis_url)) + b"\n"
        with ExitStack() as stack:
            processes = [stack.enter_context(_process(orders)) for _ in range(PROCESSES)]
            until = _at_it(processes, LONGEST_WINDOW + seconds)
            threading.Event().wait(until - time.time())
            readings = running.simulator.meter(TENANT, seconds=seconds)
            tallies = [msgspec.json.decode(process.communicate()[0], type=Tally) for process in processes]
    return Use(readings=readings, tallies=tallies)


def _orders(running: RunningSimulator, redis_url: str) -> Orders:
    known = running.credentials(TENANT)
    group = license_group_id(running.simulator.state(TENANT).tenant)
    return Orders(
        redis_url=redis_url,
        base_url=running.base_url,
        ca_path=str(running.ca_path),
        tenant_id=known.tenant_id,
        client_id=known.client_id,
        client_secret=known.client_secret,
        users=USERS,
        paths=[path.format(group=group) for path in PATHS],
    )


@contextmanager
def _process(orders: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """One that has its orders, killed with the block if it still lives."""
    command = [sys.executable, "-m", "benchmarks.hammering"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module
    with process:
        try:
            _tell(process, orders)
            yield process
        finally:
            process.kill()


def _at_it(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> float:
    """Lets all begin as soon as all are signed in; the moment they are to end, in seconds since 1970."""
    for process in processes:
        if process.stdout is None or process.stdout.readline() != READY:
            raise ChildProcessError("a process that was to ask did not start")
    until = time.time() + seconds
    for process in processes:
        _tell(process, b"%f\n" % until)
    return until


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(line)
        process.stdin.flush()
