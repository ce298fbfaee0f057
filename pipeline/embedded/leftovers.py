"""Ends servers of an earlier owner that nobody watches any more.

They are recognized by their working folder, which all three servers have inside the state folder. A process id from a
file proves nothing: it may have been recycled, and after a container restart it often has.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

PROGRAMS = frozenset({"postgres", "redis-server", "nats-server"})
GRACE_SECONDS = 10.0


def end_leftovers(folder: Path) -> int:
    """End every server working in ``folder`` and wait until it is gone; returns how many there were."""
    found = list(_working_in(folder.resolve()))
    for number in (signal.SIGINT, signal.SIGKILL):
        for process in _working_in(folder.resolve()):
            _send(process, number)
        deadline = time.monotonic() + GRACE_SECONDS
        # Looked for again each time: a zombie whose parent never collects it has no working folder any more.
        while any(_working_in(folder.resolve())) and time.monotonic() < deadline:
            time.sleep(0.01)
    return len(found)


def _working_in(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] in PROGRAMS and Path(process.cwd()) == folder:
                yield process
        except psutil.Error:
            continue  # ended meanwhile, or somebody else's and thus not ours


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
