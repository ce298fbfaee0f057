"""The embedded servers of one state folder, started side by side and ended together."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from types import TracebackType

from pipeline.embedded import nats_server, postgres, redis_server
from pipeline.embedded.lifeline import Lifeline
from pipeline.embedded.lock import StateLock
from pipeline.embedded.process import Launch, ServerProcess
from pipeline.embedded.urls import ServerName, ServerUrls, note_path, read_note, write_note
from pipeline.errors import ServerUnavailableError

#: How long a folder may stay locked by servers that are going down.
HANDOVER_SECONDS = 20.0


class EmbeddedServers:
    """PostgreSQL, Redis and NATS below ``state_dir``; what is stored there survives ``stop`` and any crash.

    ``durable=False`` is for tests and gives up surviving a crash of the machine, not of a process. Servers die with
    the process that started them, kill -9 included.
    """

    def __init__(
        self, state_dir: Path, *, postgres: bool = True, redis: bool = True, nats: bool = True, durable: bool = True
    ) -> None:
        self.state_dir = state_dir.absolute()
        self._wanted: dict[ServerName, bool] = {"redis": redis, "nats": nats, "postgres": postgres}
        self._durable = durable
        self._lock = StateLock(self.state_dir)
        self._lifeline: Lifeline | None = None
        self._running: dict[ServerName, ServerProcess] = {}
        self._owner = 0

    def start(self) -> ServerUrls:
        """Start what is wanted and return once every server answers.

        Raises ServerUnavailableError, after ending what had started, with a sentence that names the server, its log
        and what to do; also when another process holds the folder.
        """
        self._claim()
        try:
            self._lifeline = Lifeline(self._lock)
            self._lifeline.remove_at_end(note_path(self.state_dir))
            for name, wanted in self._wanted.items():
                if wanted:
                    self._spawn(name, self._lifeline)
            for server in self._running.values():
                server.wait_ready()
            urls = self.urls
            write_note(self.state_dir, urls)
        except BaseException:
            self.stop()
            raise
        return urls

    @property
    def urls(self) -> ServerUrls:
        """Addresses of the started servers; they stay the same across ``kill`` and ``restart``."""
        known = {name: server.launch.url for name, server in self._running.items()}
        return ServerUrls(
            database_url=known.get("postgres", ""), redis_url=known.get("redis", ""), nats_url=known.get("nats", "")
        )

    def stop(self) -> None:
        """End all servers and free the folder; does nothing when nothing runs, or in a forked child."""
        if self._owner != os.getpid():
            return
        note_path(self.state_dir).unlink(missing_ok=True)
        for server in self._running.values():
            server.ask_to_stop()
        for name, server in self._running.items():
            server.wait_stopped()
            if name == "postgres":
                shutil.rmtree(postgres.socket_folder_of(server.launch), ignore_errors=True)
        self._running.clear()
        if self._lifeline:
            self._lifeline.close()
            self._lifeline = None
        self._lock.release()
        self._owner = 0

    def restart(self, name: ServerName) -> None:
        """Stop the server if it runs, start it at the same address, return when it answers."""
        server = self._running[name]
        server.ask_to_stop()
        server.wait_stopped()
        server.spawn()
        server.wait_ready()

    def kill(self, name: ServerName) -> None:
        """kill -9 one server and leave it down; ``restart`` brings it back."""
        self._running[name].kill()

    def pid(self, name: ServerName) -> int | None:
        """The process id of a running server."""
        return self._running[name].pid

    def __enter__(self) -> ServerUrls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _claim(self) -> None:
        """Own the folder, after waiting for servers of a dead owner to finish; a living owner is named at once."""
        self._prepare_folder()
        deadline = time.monotonic() + HANDOVER_SECONDS
        while not self._lock.acquire():
            if read_note(self.state_dir) is not None or time.monotonic() > deadline:
                raise ServerUnavailableError(
                    f"The embedded servers in {self.state_dir} already run under process {self._lock.owner()}: "
                    "stop it, or use another state folder."
                )
            time.sleep(0.02)
        self._owner = os.getpid()

    def _prepare_folder(self) -> None:
        # Passable for others as root because PostgreSQL then runs as nobody; everything inside has its own mode.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            if not self.state_dir.exists():
                self.state_dir.mkdir(parents=True)
                self.state_dir.chmod(mode)
            foreign = self.state_dir.stat().st_uid != os.geteuid()
            for name in () if foreign else ("redis", "nats", "logs"):
                (self.state_dir / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ServerUnavailableError(
                f"The state folder {self.state_dir} cannot be used ({error.strerror}): name another one, "
                "or set DATABASE_URL, REDIS_URL and NATS_URL to running servers."
            ) from error
        if foreign:
            raise ServerUnavailableError(
                f"The state folder {self.state_dir} belongs to another user: run as that user or name another folder."
            )

    def _spawn(self, name: ServerName, lifeline: Lifeline) -> None:
        launch = self._prepare(name)
        if name == "postgres":
            lifeline.remove_at_end(postgres.socket_folder_of(launch))
        self._running[name] = ServerProcess(launch, lifeline)
        self._running[name].spawn()

    def _prepare(self, name: ServerName) -> Launch:
        log = self.state_dir / "logs" / f"{name}.log"
        if name == "postgres":
            return postgres.prepare(self.state_dir, log, durable=self._durable)
        if name == "redis":
            return redis_server.prepare(self.state_dir / "redis", log, durable=self._durable)
        return nats_server.prepare(self.state_dir / "nats", log)
