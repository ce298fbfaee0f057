"""Real worker processes over a test's own database, Redis and simulator."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.cli.local.processes import Processes, beat_command, worker_command
from pipeline.settings import load_settings
from tests.log_watch import leaks_in_files
from tests.tenants import environment_for

QUEUES = (
    "router",
    "sync.legacy",
    "sync.new",
    "analyze.legacy",
    "analyze.new",
    "alerts",
    "compare",
    "outbox",
    "maintenance",
)


def eventually(met: Callable[[], bool], *, seconds: float = 60.0, about: str = "the condition") -> None:
    """Returns once it is met; fails the test when it is not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not met():
        assert time.monotonic() < deadline, f"{about} was not met within {seconds:.0f} s"
        pause.wait(0.05)


@dataclass(slots=True)
class Stack:
    """Workers and beat as processes, and this process's own view of their database."""

    parts: wiring.Wiring
    processes: Processes
    workers: dict[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)

    def start_worker(self, name: str, queues: tuple[str, ...] = QUEUES, concurrency: int = 2) -> None:
        self.workers[name] = (queues, concurrency)
        self.processes.start(name, worker_command(name, queues, concurrency))

    def start_beat(self) -> None:
        self.processes.start("beat", beat_command())

    def kill_worker(self, name: str) -> None:
        """Kills a worker and its children at one blow, as a machine that loses power does; starts it again."""
        self.processes.kill(name)
        self.start_worker(name, *self.workers[name])

    def kill_child(self, name: str, choose: Callable[[list[psutil.Process]], psutil.Process]) -> bool:
        """Kills one prefork child of a worker; False when it has none just now."""
        try:
            children = psutil.Process(self.processes.pid(name)).children()
            if not children:
                return False
            os.kill(choose(children).pid, signal.SIGKILL)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False
        return True

    def scalar(self, statement: str, **values: object) -> int:
        with self.parts.database.begin() as connection:
            return int(connection.execute(text(statement), values).scalar_one())

    def runs_under_way(self) -> int:
        return self.scalar("SELECT count(*) FROM runs WHERE state = 'running'")


@pytest.fixture
def stack(simulator: RunningSimulator, database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Stack]:
    """No process runs yet: a test starts the ones it is about. Lost steps are noticed within seconds."""
    environment = environment_for(
        simulator,
        database_url=database_url,
        redis_url=redis_url,
        STEP_HEARTBEAT_MS="300",
        STEP_LOST_AFTER_MS="2000",
        PYTHONUNBUFFERED="1",
        LOG_LEVEL="debug",
    )
    parts = wiring.build(load_settings(environment))
    with Processes(environment=environment, logs=tmp_path / "logs") as processes:
        yield Stack(parts=parts, processes=processes)
    parts.close()
    assert leaks_in_files(processes.logs) == []
