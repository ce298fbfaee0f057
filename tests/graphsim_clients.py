"""An endpoint that is notified of changes, and an application signed in to one tenant of a simulator."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from graphsim.serve import RunningSimulator
from graphsim.tls import ensure_certificates

WAIT = 20.0

Body = dict[str, Any]


class Hook:
    """An endpoint: ``shake`` answers handshakes, ``statuses`` are given to notifications in turn, then 202."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.shake: Callable[[str], tuple[int, str, str]] = lambda token: (200, "text/plain", token)
        self.statuses: list[int] = []
        self.posts: Queue[list[Body]] = Queue()
        self.handshakes = 0
        self.hurry = threading.Event()
        """Answers wait for it."""
        self.hurry.set()

    def next(self) -> list[Body]:
        return self.posts.get(timeout=WAIT)

    def collect(self, count: int) -> list[Body]:
        found: list[Body] = []
        while len(found) < count:
            found += self.next()
        return found

    def quiet(self) -> bool:
        try:
            self.posts.get_nowait()
        except Empty:
            return True
        return False


@contextmanager
def hook(tls: Path | None = None) -> Iterator[Hook]:
    """A server on this machine; with ``tls`` over HTTPS, with the certificates of that folder."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.hurry.wait(WAIT)
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            if token:
                made.handshakes += 1
                self.reply(*made.shake(token[0]))
                return
            status = made.statuses.pop(0) if made.statuses else 202
            self.reply(status, "text/plain", "")
            if status == 202:
                made.posts.put(json.loads(raw)["value"])

        def reply(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # whoever asked may have given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        files = ensure_certificates(tls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made = Hook(f"{'https' if tls else 'http'}://localhost:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.hurry.set()
        server.shutdown()
        thread.join()
        server.server_close()


class App:
    """An application signed in to one tenant of a simulator."""

    def __init__(self, running: RunningSimulator, http: httpx.Client, index: int) -> None:
        self.http, self.index = http, index
        credentials = running.credentials(index)
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        token = http.post(f"/{credentials.tenant_id}/oauth2/v2.0/token", data=form).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"

    def do(self, action: str, key: str | int = "", **values: object) -> Body:
        body = {"action": action, "id": key, "set": values}
        answer = self.http.post(f"/_sim/tenants/{self.index}/mutations", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def subscribe(self, url: str, **changes: object) -> httpx.Response:
        body = {
            "changeType": "updated,deleted",
            "notificationUrl": url,
            "resource": "users",
            "expirationDateTime": in_days(10),
            "clientState": "made-up",
        } | changes
        return self.http.post("/v1.0/subscriptions", json={k: v for k, v in body.items() if v is not None})


@contextmanager
def signed_in(running: RunningSimulator, index: int = 0) -> Iterator[App]:
    context = ssl.create_default_context(cafile=running.ca_path)
    with httpx.Client(base_url=running.base_url, verify=context, trust_env=False, timeout=WAIT) as http:
        yield App(running, http, index)


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")
