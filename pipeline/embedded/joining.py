"""Decides between the environment's servers, servers somebody already runs here, and starting our own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from pipeline.embedded.lock import StateLock
from pipeline.embedded.servers import HANDOVER_SECONDS, EmbeddedServers
from pipeline.embedded.urls import VARIABLES, ServerName, ServerUrls, read_note
from pipeline.errors import ServerUnavailableError


def default_state_dir() -> Path:
    """The user's state folder for this program, by the platform's own convention."""
    return Path(platformdirs.user_state_dir("mspbyte"))


def running_servers(state_dir: Path) -> ServerUrls | None:
    """The URLs of servers another process runs in ``state_dir``, or None; starts nothing.

    Waits, within a limit, for an owner that is just starting or ending.
    """
    lock = StateLock(state_dir)
    deadline = time.monotonic() + HANDOVER_SECONDS
    while lock.held_by_other():
        urls = read_note(state_dir)
        if urls is not None:
            return urls
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return None


@contextmanager
def servers_for(
    environment: Mapping[str, str], state_dir: Path | None = None, *, durable: bool = True
) -> Iterator[ServerUrls]:
    """URLs of all three servers: from the environment where set, else joined, else started for the block's time.

    Joined servers end with their owner, not with this block. Raises ServerUnavailableError with one sentence.
    """
    given = {name: environment.get(variable, "") for name, variable in VARIABLES.items()}
    missing: list[ServerName] = [name for name, url in given.items() if not url]
    if not missing:
        yield _combined(given, ServerUrls())
        return
    folder = state_dir or default_state_dir()
    joined = running_servers(folder)
    if joined is not None:
        yield _combined(given, _complete(joined, missing, folder))
        return
    wanted = {name: name in missing for name in given}
    with EmbeddedServers(
        folder, postgres=wanted["postgres"], redis=wanted["redis"], nats=wanted["nats"], durable=durable
    ) as started:
        yield _combined(given, started)


def _combined(given: Mapping[ServerName, str], embedded: ServerUrls) -> ServerUrls:
    return ServerUrls(
        database_url=given["postgres"] or embedded.database_url,
        redis_url=given["redis"] or embedded.redis_url,
        nats_url=given["nats"] or embedded.nats_url,
    )


def _complete(joined: ServerUrls, missing: list[ServerName], folder: Path) -> ServerUrls:
    absent = [VARIABLES[name] for name in missing if VARIABLES[name] not in joined.environment()]
    if absent:
        raise ServerUnavailableError(
            f"The embedded servers running in {folder} were started without what {' and '.join(absent)} would name: "
            "set the variable here as well, or stop them first."
        )
    return joined
