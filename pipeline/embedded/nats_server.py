"""NATS with JetStream's file store on a loopback port behind a password that is new at every start."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from pipeline.embedded import binaries
from pipeline.embedded.ports import free_port
from pipeline.embedded.process import Launch

USER = "mspbyte"

CONFIGURATION = """\
listen: "127.0.0.1:{port}"
server_name: "mspbyte-embedded"
jetstream {{ store_dir: "{folder}" }}
authorization {{ user: "{user}", password: "{password}" }}
"""


def prepare(folder: Path, log: Path) -> Launch:
    """Write the configuration for a free port into ``folder`` (mode 0700) and say how to launch it."""
    port, password = free_port(), secrets.token_urlsafe(24)
    configuration = folder / "nats.conf"
    configuration.write_text(CONFIGURATION.format(port=port, password=password, folder=folder, user=USER))
    configuration.chmod(0o600)
    return Launch(
        name="nats",
        title="NATS",
        command=(str(binaries.nats_server()), "--config", str(configuration)),
        folder=folder,
        log=log,
        url=f"nats://{USER}:{password}@127.0.0.1:{port}",
        is_ready=lambda: _is_ready(port, password),
    )


def _is_ready(port: int, password: str) -> bool:
    """INFO announces JetStream, CONNECT and PING are answered by PONG; nats-py would need an event loop for it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection, connection.makefile("rb") as lines:
            verb, _, announced = lines.readline().partition(b" ")
            credentials = json.dumps({"user": USER, "pass": password, "verbose": False})
            connection.sendall(f"CONNECT {credentials}\r\nPING\r\n".encode())
            return verb == b"INFO" and bool(json.loads(announced).get("jetstream")) and lines.readline() == b"PONG\r\n"
    except OSError:
        return False
