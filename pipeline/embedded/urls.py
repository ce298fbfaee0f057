"""Where the three servers listen, and the note by which other processes of the same user find them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ServerName = Literal["postgres", "redis", "nats"]

#: The environment variable that replaces each embedded server.
VARIABLES: Mapping[ServerName, str] = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "nats": "NATS_URL"}


@dataclass(frozen=True, kw_only=True, repr=False)
class ServerUrls:
    """URLs as libpq, redis-py and nats-py read them; empty for a server that nobody started or named.

    Redis's and NATS's carry a password that is new at every start, so no ``repr`` shows them.
    """

    database_url: str = ""
    redis_url: str = ""
    nats_url: str = ""

    def environment(self) -> dict[str, str]:
        """Variables for child processes: ``DATABASE_URL``, ``REDIS_URL``, ``NATS_URL``, those that are known."""
        named = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, "NATS_URL": self.nats_url}
        return {variable: url for variable, url in named.items() if url}

    def __repr__(self) -> str:
        return f"ServerUrls({', '.join(self.environment())})"


def note_path(state_dir: Path) -> Path:
    return state_dir / "servers.json"


def write_note(state_dir: Path, urls: ServerUrls) -> None:
    """Publish ``urls`` to processes of the same user; whole or not at all, readable by the owner alone."""
    unfinished = state_dir / "servers.json.new"
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(urls.environment(), file)
    unfinished.replace(note_path(state_dir))


def read_note(state_dir: Path) -> ServerUrls | None:
    """The URLs the folder's owner published, or None while it is starting, ending or not there."""
    try:
        named = json.loads(note_path(state_dir).read_text())
    except (FileNotFoundError, PermissionError):
        return None
    return ServerUrls(
        database_url=named.get("DATABASE_URL", ""),
        redis_url=named.get("REDIS_URL", ""),
        nats_url=named.get("NATS_URL", ""),
    )
