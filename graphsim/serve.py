"""Running the simulator over HTTPS: as a program's main loop, or in a thread beside a test."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from graphsim.app import create_app
from graphsim.simulator import Credentials, Simulator, SimulatorConfig
from graphsim.tls import TlsFiles, ensure_certificates
from graphsim.trouble.delivery import ABORT

ADDRESS_FILE = "graphsim.url"
"""Holds the server's address while it runs, in ``state_dir``."""
_START_SECONDS = 30


class _Server(uvicorn.Server):
    """Says when it has started, or that it never will."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends idle connections at once: closing TLS politely would wait for clients that keep them for later."""
        self._abort(idle_only=True)
        await super().shutdown(sockets=sockets)
        self._abort(idle_only=False)
        await asyncio.sleep(0.01)  # lets the loop close what was aborted

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Lets an interrupt just end the server; uvicorn would raise it again and cut the clean-up short."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _abort(self, *, idle_only: bool) -> None:
        for connection in list(self.server_state.connections):
            cycle, transport = getattr(connection, "cycle", None), getattr(connection, "transport", None)
            if transport is not None and (not idle_only or cycle is None or cycle.response_complete):
                transport.abort()


def serve(config: SimulatorConfig, host: str, port: int, state_dir: Path, *, https: bool = True) -> None:
    """Serves until interrupted or terminated, then returns. Port 0 takes a free one.

    The address is printed, first of all, and written to ``graphsim.url`` in ``state_dir``, next to the certificates
    (``tls/ca.pem``), which plain HTTP does without.
    """
    app = create_app(config)
    bound = _bind(host, port)
    address = _address("https" if https else "http", host, bound)
    files = ensure_certificates(state_dir / "tls") if https else None
    bound.listen()  # whoever reads the address can connect: the kernel holds connections until uvicorn takes them
    note = state_dir / ADDRESS_FILE
    note.write_text(f"{address}\n")
    told = f"CA: {files.ca}" if files else "plain HTTP"
    first = f"graphsim listens on {address} ({told})"
    print("\n".join([first, *_settings(address, files)]), flush=True)  # noqa: T201 - what the caller waits for
    try:
        _server(app, files).run(sockets=[bound])
    finally:
        note.unlink(missing_ok=True)


def _settings(address: str, files: TlsFiles | None) -> list[str]:
    """What a shell is told so that a sync reads the simulator; nothing for plain HTTP, over which none signs in."""
    if files is None:
        return []
    given = {"GRAPH_BASE_URL": address, "GRAPH_AUTHORITY": address, "GRAPH_CA_FILE": str(files.ca.resolve())}
    return [f"export {name}={quote(value)}" for name, value in given.items()]


class RunningSimulator:
    """A simulator in a background thread for as long as the ``with`` block lasts.

    ``simulator`` gives the tests direct access to the tenants; change them between requests only.
    """

    def __init__(self, config: SimulatorConfig, state_dir: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._files = ensure_certificates(state_dir / "tls")
        app = create_app(config)
        self.simulator: Simulator = app.state.simulator
        self._server = _server(app, self._files)
        self._bound = _bind(host, port)
        self.port: int = self._bound.getsockname()[1]
        self.base_url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._run, name="graphsim", daemon=True)

    @property
    def ca_path(self) -> Path:
        """The CA certificate that clients have to trust."""
        return self._files.ca

    def credentials(self, index: int) -> Credentials:
        """How to sign in to tenant number ``index``."""
        return self.simulator.credentials(index)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS) or not self._server.started:
            self._stop()
            raise RuntimeError(f"the simulator did not start within {_START_SECONDS} seconds")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._bound])
        finally:
            self._server.ready.set()

    def _stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self._bound.close()


def _lending_abort(app: ASGIApp) -> ASGIApp:
    """The application with the means to abort the connection it answers on, which ASGI itself doesn't give."""

    async def lend(scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope.setdefault("extensions", {})[ABORT] = transport.abort
        await app(scope, receive, send)

    return lend


def _server(app: Starlette, files: TlsFiles | None) -> _Server:
    return _Server(
        uvicorn.Config(
            _lending_abort(app),
            ssl_certfile=files.certificate if files else None,
            ssl_keyfile=str(files.key) if files else None,
            log_level="error",
            access_log=False,
            lifespan="on",
            ws="none",
            loop="asyncio",
            http="h11",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it is.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _address(scheme: str, host: str, bound: socket.socket) -> str:
    name = "localhost" if host in {"127.0.0.1", "::1", "localhost"} else host
    return f"{scheme}://{name}:{bound.getsockname()[1]}"
