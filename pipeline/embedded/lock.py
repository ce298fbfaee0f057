"""One owner per state folder, also while the servers of a killed owner are still going down."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class StateLock:
    """A file lock that the watcher process shares, so it is free only once no server is left.

    ``flock`` belongs to the open file, not to the process: whoever inherits the descriptor keeps the lock alive.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if nobody has it; False at once if somebody does."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def fileno(self) -> int:
        if self._descriptor is None:
            raise ValueError("The lock is not held.")
        return self._descriptor

    def held_by_other(self) -> bool:
        """Whether another process has the folder; changes nothing."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def owner(self) -> str:
        """The process id the owner wrote down, for messages."""
        return self._path.read_text().strip() or "unknown"
