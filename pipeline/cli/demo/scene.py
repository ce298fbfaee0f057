"""Setting the demo's scene: servers, schema, simulator, workers and beat."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from graphsim.serve import ADDRESS_FILE
from pipeline.cli.connections.environment import told_settings
from pipeline.cli.demo.tenants import BRANCHES, SEED, USERS, DemoTenant, seed
from pipeline.cli.local.processes import Processes, beat_command, mspbyte_command, worker_command
from pipeline.cli.local.state_folder import leave_environment, local_secret_key, require_free
from pipeline.embedded import servers_for
from pipeline.errors import PipelineError
from pipeline.storage import schema
from pipeline.storage.database import Database
from pipeline.wiring import open_database, vault

ROUTING = ("router", "maintenance")
WORKING = ("sync.legacy", "sync.new", "analyze.legacy", "analyze.new", "alerts", "compare", "outbox")
START_SECONDS = 30.0
LEGACY_DELAY_MS = "1000"
"""The former system gathers alerts for 30 s before it writes them; the demo does not make you wait for that."""


class SimulatorStartError(PipelineError):
    """The simulator did not come up; the message names its log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Everything running, the tenants waiting in the database."""

    database: Database
    tenants: list[DemoTenant]
    processes: Processes


@contextmanager
def set_scene(state_dir: Path, console: Console) -> Iterator[Scene]:
    """Starts all the demo needs and ends it when the block does, however it does."""
    state_dir.mkdir(parents=True, exist_ok=True)
    require_free(state_dir)
    with ExitStack() as stack:
        say = _teller(console)
        urls = stack.enter_context(servers_for(os.environ, state_dir))
        say("PostgreSQL, Redis and NATS answer")
        environment = {**_environment(state_dir), **urls.environment()}
        processes = stack.enter_context(Processes(environment=environment, logs=state_dir / "logs"))
        note = state_dir / ADDRESS_FILE
        note.unlink(missing_ok=True)
        processes.start("graphsim", _simulator_command(state_dir))
        # The workers start beside the simulator and the migration; nothing is due before the tenants are there.
        environment["GRAPH_BASE_URL"] = environment["GRAPH_AUTHORITY"] = _address(note, processes)
        environment["GRAPH_CA_FILE"] = str(state_dir / "tls" / "ca.pem")
        settings = told_settings({**os.environ, **environment})
        database = open_database(settings)
        stack.callback(database.close)
        with database.begin() as connection:
            schema.upgrade(connection)
        say("the schema is current, the simulated Microsoft Graph serves")
        processes.start("router", worker_command("router", ROUTING, 1))
        processes.start("worker", worker_command("worker", WORKING, 2))
        processes.start("beat", beat_command())
        processes.start("relay", mspbyte_command("relay"))
        with database.begin() as connection:
            tenants = seed(connection, vault(settings))
        stack.callback(leave_environment(state_dir, environment).unlink, missing_ok=True)
        say(f"{len(tenants)} tenants of {USERS} users wait; workers, beat and relay start")
        yield Scene(database=database, tenants=tenants, processes=processes)


def _environment(state_dir: Path) -> dict[str, str]:
    """The variables of the demo's processes that do not depend on what else is started."""
    defaults = {
        "SECRET_KEY": local_secret_key(state_dir),
        "LEGACY_ALERT_DELAY_MS": LEGACY_DELAY_MS,
        "LOG_FORMAT": "json",
    }
    return {name: os.environ.get(name, value) for name, value in defaults.items()}


def _simulator_command(state_dir: Path) -> tuple[str, ...]:
    sizes = ("--tenants", str(len(BRANCHES)), "--users", str(USERS), "--seed", SEED)
    return mspbyte_command("graphsim", "serve", *sizes, "--port", "0", "--state-dir", str(state_dir))


def _address(note: Path, processes: Processes) -> str:
    """Where the simulator listens, once it has said so."""
    pause = threading.Event()
    deadline = time.monotonic() + START_SECONDS
    while not (note.exists() and note.read_text().strip()):
        processes.check()
        if time.monotonic() > deadline:
            raise SimulatorStartError(f"The simulator did not start; its log is {processes.log_of('graphsim')}.")
        pause.wait(0.02)
    return note.read_text().strip()


def _teller(console: Console) -> Callable[[str], None]:
    begun = time.monotonic()

    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - begun:5.1f} s[/]  {sentence}", highlight=False)

    return say
