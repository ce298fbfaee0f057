"""A small process that ends the servers when their parent is gone, however it went.

Run as a script with ``python -I -S``, standard library only, so that it is ready within milliseconds. Standard input
brings one line per order: ``pid <number>`` is a server to end, ``path <path>`` something to remove. End of file means
the parent has ended. PR_SET_PDEATHSIG would do less: it exists on Linux alone and fires when the *thread* that
started the server ends.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

GRACE_SECONDS = 15.0


class Watched:
    """A server held by pidfd where the system has them: a recycled process id can then never be hit."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.pidfd: int | None = None
        self.gone = False
        try:
            self.pidfd = os.pidfd_open(pid) if sys.platform == "linux" else None
        except ProcessLookupError:
            self.gone = True
        except OSError:
            self.pidfd = None

    def send(self, number: int) -> None:
        """Signal 0 asks whether it still lives."""
        if self.gone:
            return
        try:
            if self.pidfd is not None and sys.platform == "linux":
                signal.pidfd_send_signal(self.pidfd, number)
            else:
                os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            self.gone = True

    def ended(self) -> bool:
        if not self.gone and self.pidfd is not None:
            self.gone = bool(select.select([self.pidfd], [], [], 0)[0])
        elif not self.gone:
            self.send(0)
        return self.gone


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: list[Watched] = []
    paths: list[Path] = []
    for line in sys.stdin:
        order, _, value = line.rstrip("\n").partition(" ")
        if order == "pid":
            watched.append(Watched(int(value)))
        else:
            paths.append(Path(value))
    for path in paths:
        remove(path)
    end(watched)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def end(watched: list[Watched]) -> None:
    """SIGINT to all (PostgreSQL's fast shutdown), SIGKILL to what is left after the grace time."""
    for server in watched:
        server.send(signal.SIGINT)
    deadline = time.monotonic() + GRACE_SECONDS
    while not all(server.ended() for server in watched) and time.monotonic() < deadline:
        time.sleep(0.02)
    for server in watched:
        server.send(signal.SIGKILL)


if __name__ == "__main__":
    main()
