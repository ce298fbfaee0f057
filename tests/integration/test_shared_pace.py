"""Several processes on one bucket: together they keep the limit, and get most of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from tests.pacing_process import DRAW, LIMIT

pytestmark = pytest.mark.servers

PROCESSES = 4
SECONDS = 3.0


def grants(redis_url: str) -> tuple[list[float], float]:
    """The moments at which any of the processes was granted ``DRAW``, and the end of it all."""
    command = [sys.executable, "-m", "tests.pacing_process", redis_url]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        until = time.time() + SECONDS
        for process in processes:
            assert process.stdin
            process.stdin.write(f"{until}\n")
            process.stdin.flush()
        told = [json.loads(process.communicate()[0]) for process in processes]
    assert all(told)
    return sorted(moment for moments in told for moment in moments), until


def test_processes_share_a_limit_and_use_it(redis_url: str) -> None:
    moments, until = grants(redis_url)
    width = LIMIT.units // DRAW.units
    windows = [later - earlier for earlier, later in zip(moments, moments[width:], strict=False)]
    assert min(windows) >= LIMIT.seconds, "a window holds one grant more than the limit"
    steady = [moment for moment in moments if until - 2 <= moment < until]
    assert len(steady) * DRAW.units >= 0.8 * LIMIT.units * 2
