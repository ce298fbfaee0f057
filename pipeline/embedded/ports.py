"""Loopback ports that stay free between a server's death and its restart."""

from __future__ import annotations

import secrets
import socket

from pipeline.errors import ServerUnavailableError

# Below the range from which systems take the ports of outgoing connections (32768 and up on Linux, 49152 and up on
# macOS). Inside it, a client that keeps retrying a dead server can be given that very port as its own and then
# connects to itself.
LOWEST, HIGHEST = 20_000, 30_000
TRIES = 200


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on right now."""
    for _ in range(TRIES):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise ServerUnavailableError(f"No free port between {LOWEST} and {HIGHEST} on 127.0.0.1: stop what holds them.")
