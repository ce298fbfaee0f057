"""One server process: how it is launched, when it is ready, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.embedded.leftovers import end_leftovers
from pipeline.embedded.lifeline import Lifeline
from pipeline.embedded.placement import Account
from pipeline.embedded.urls import VARIABLES, ServerName
from pipeline.errors import ServerUnavailableError

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.005
LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything needed to start a server again and again at the same address.

    ``folder`` is the working folder by which leftovers are recognized; ``is_ready`` speaks the server's protocol and
    answers False as long as it is worth asking again.
    """

    name: ServerName
    title: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    url: str
    is_ready: Callable[[], bool]
    account: Account | None = None


class ServerProcess:
    """Start, check and end the server that a ``Launch`` describes."""

    def __init__(self, launch: Launch, lifeline: Lifeline) -> None:
        self.launch = launch
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running process, or None after ``stop`` or ``kill``."""
        return self._process.pid if self._process else None

    def spawn(self) -> None:
        """Start without waiting; ``wait_ready`` follows once its siblings are on their way too."""
        launch = self.launch
        end_leftovers(launch.folder)
        if launch.log.exists() and launch.log.stat().st_size > LARGEST_LOG_BYTES:
            launch.log.replace(launch.log.with_suffix(".log.1"))
        with launch.log.open("ab") as log:
            self._process = run_as(launch.account, launch.command, folder=launch.folder, output=log.fileno())
        self._lifeline.watch(self._process.pid)

    def wait_ready(self) -> None:
        """Return once the server answers; else one sentence with the log's last line and what to do."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.launch.is_ready():
            status = self._process.poll() if self._process else None
            if status is not None:
                raise self.failure(f"ended with status {status}")
            if time.monotonic() > deadline:
                raise self.failure(f"did not answer within {READY_SECONDS:.0f} seconds")
            time.sleep(POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """SIGINT: PostgreSQL then drops open connections instead of waiting for them; the others just end."""
        if self._process:
            self._process.send_signal(signal.SIGINT)

    def wait_stopped(self) -> None:
        if not self._process:
            return
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """kill -9, as a fault test or the kernel's memory killer would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def failure(self, what: str) -> ServerUnavailableError:
        launch = self.launch
        return ServerUnavailableError(
            f"The embedded {launch.title} {what} ({_last_line(launch.log)}): see {launch.log}, "
            f"or set {VARIABLES[launch.name]} to a running server."
        )


def run_as(account: Account | None, command: tuple[str, ...], *, folder: Path, output: int) -> subprocess.Popen[bytes]:
    """Start ``command`` as ``account`` (None: as ourselves), out of the terminal's reach, in a plain C locale."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    try:
        return subprocess.Popen(  # noqa: S603 - binaries we located, arguments we built, no shell
            command,
            cwd=folder,
            env={**inherited, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal must reach the workers first, never the servers
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerUnavailableError(
            f"{command[0]} could not be started as {account.name if account else 'this user'} ({error}): "
            "run as a plain user or set DATABASE_URL, REDIS_URL and NATS_URL to running servers."
        ) from error


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "its log is empty")
