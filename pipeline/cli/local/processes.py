"""The system's own processes as children of one command: started together, ended together, logs in files."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from rich.console import Console

from pipeline.errors import PipelineError

STOP_SECONDS = 25.0
"""What a platform grants at most between SIGTERM and SIGKILL, less a little."""

LOOK_SECONDS = 0.5

WORKER = (sys.executable, "-m", "celery", "-A", "tasks.app", "worker", "--pool", "prefork")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


class ProcessEndedError(PipelineError):
    """A process that should run has ended; the message names its log."""


def worker_command(name: str, queues: Sequence[str], concurrency: int) -> tuple[str, ...]:
    """A prefork worker for these queues."""
    return (*WORKER, "-n", f"{name}@%h", "-Q", ",".join(queues), "-c", str(concurrency), *QUIET)


def beat_command() -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "tasks.app", "beat")


def mspbyte_command(*arguments: str) -> tuple[str, ...]:
    """This program's own command line, whatever it was started as."""
    return (sys.executable, "-m", "pipeline.cli", *arguments)


@dataclass(slots=True)
class Processes:
    """Children by name, in the order they were started; leaving the block ends them all."""

    environment: Mapping[str, str]
    logs: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _files: list[IO[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts it in a process group of its own, so that Ctrl-C in the terminal reaches only us."""
        log = self.log_of(name).open("wb")
        self._files.append(log)
        with _signals_held():
            self._running[name] = self._spawn(command, log)
        return self._running[name]

    def _spawn(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - commands of this module's making, from its only thread
            list(command),
            env={**os.environ, **self.environment, "REMAP_SIGTERM": "SIGQUIT"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(_end_with_parent, os.getpid()),  # noqa: PLW1509 - the child only calls into the kernel
        )

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def end(self, name: str) -> None:
        """Asks one to end, waits, and kills it when it has not ended in time."""
        child = self._running.pop(name)
        _signal(child, signal.SIGTERM)
        _wait(child, STOP_SECONDS)

    def kill(self, name: str) -> None:
        """Ends it and everything it has started at one blow, without a chance to tidy up."""
        child = self._running.pop(name)
        _signal(child, signal.SIGKILL, group=True)
        child.wait()

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def check(self) -> None:
        """Raises ``ProcessEndedError`` when one of them has ended by itself."""
        for name, child in self._running.items():
            if child.poll() is not None:
                raise ProcessEndedError(
                    f"The process {name} ended with status {child.returncode}; its log is {self.log_of(name)}."
                )

    def watch(self) -> None:
        """Stays for as long as all of them run; raises ``ProcessEndedError`` when one has ended by itself."""
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            self.check()

    def stop(self) -> None:
        """Asks all of them to end at once, waits, and kills what has not ended in time."""
        for child in self._running.values():
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._running.values():
            _wait(child, max(0.1, deadline - time.monotonic()))
        self._running.clear()
        while self._files:
            self._files.pop().close()


PR_SET_PDEATHSIG = 1


def _end_with_parent(parent: int) -> None:
    """In the child: have the kernel end us should the parent be killed before it can. Linux only.

    By SIGKILL: the embedded servers end with the parent, and a worker whose broker is gone waits for it before anything
    else. A parent that died before the kernel was asked has left us to another already.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Lets an interrupt wait until the block is over: between start and registration a child would be forgotten."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


@contextmanager
def interruptible() -> Iterator[None]:
    """Makes SIGTERM end the block as Ctrl-C does, so that what was started is stopped.

    Ctrl-C is asked for as well: a shell starts what runs in its background with SIGINT ignored.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def until_interrupted(console: Console) -> Iterator[None]:
    """Makes Ctrl-C the orderly end of the block."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("Stopping …")


def _signal(child: subprocess.Popen[bytes], number: signal.Signals, *, group: bool = False) -> None:
    """The signal, to the process or to everything it has started, if it still runs."""
    try:
        if group:
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)
    except ProcessLookupError:
        pass


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Returns when it has ended, by itself in time or by force."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal(child, signal.SIGKILL, group=True)
        child.wait()
