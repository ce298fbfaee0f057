"""The parent's end of the watcher: as long as this pipe is open, the servers live."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.embedded.lock import StateLock


class Lifeline:
    """Starts the watcher; ``close`` (or our death, kill -9 included) makes it end what it was told about.

    A child forked without exec inherits the pipe and the lock; the servers then outlive us until it ends as well.
    """

    def __init__(self, lock: StateLock) -> None:
        script = str(Path(__file__).with_name("watch.py"))
        self._process = subprocess.Popen(  # noqa: S603 - our own script on our own interpreter
            [sys.executable, "-I", "-S", script],
            stdin=subprocess.PIPE,
            bufsize=0,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=(lock.fileno(),),
            start_new_session=True,  # Ctrl-C in the terminal must reach the workers first, never the servers
        )

    def watch(self, pid: int) -> None:
        self._order(f"pid {pid}")

    def remove_at_end(self, path: Path) -> None:
        self._order(f"path {path}")

    def close(self) -> None:
        """Let go and wait until the watcher has ended everything."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _order(self, line: str) -> None:
        # Without its watcher (somebody killed it) a server is unprotected, not unusable; the next start tidies up.
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.write(f"{line}\n".encode())
