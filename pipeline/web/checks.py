"""Readiness: what the pipeline needs, looked at now, each with one sentence and what to do. No web framework here.

``mspbyte doctor`` opens the database and asks Redis by the same functions, and tells an operator more. Of NATS it asks
another question: whether JetStream answers with our credentials. That takes seconds when the server is down; here it is
enough, and quick, to hear whether there is one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import redis
import structlog
from anyio import CapacityLimiter
from sqlalchemy import Connection

from pipeline.errors import PipelineError, SettingError, TransientError
from pipeline.observability.metrics.broker import connect_redis
from pipeline.settings import Settings
from pipeline.storage import schema
from pipeline.storage.database import Database

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 5.0
"""For all checks together; they run side by side."""
CONNECT_SECONDS = 3.0
NATS_PORT = 4222
LONGEST_INFO = 65_536


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Could not be looked at because of another check; not part of the score."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """How one thing stands. The message names no host and no credential; ``fix`` is empty when all is well."""

    name: str
    status: Status
    message: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """The outcome of all checks."""

    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        return all(finding.status is Status.PASSED for finding in self.findings)

    @property
    def score(self) -> int:
        """Percentage of the checks that ran which passed; 0 when none ran."""
        ran = [finding.status for finding in self.findings if finding.status is not Status.SKIPPED]
        return 100 * ran.count(Status.PASSED) // len(ran) if ran else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """Looks at one server, in a thread. ``names`` are the findings it owes, the server itself first."""

    names: tuple[str, ...]
    fix: str
    look: Callable[[], Sequence[Finding]]


def checks_of(settings: Settings) -> tuple[Check, ...]:
    """The checks of this installation, in the order they are shown."""
    return (
        Check(
            names=("database", "schema"),
            fix="Start PostgreSQL or correct DATABASE_URL.",
            look=partial(_database, settings),
        ),
        Check(names=("redis",), fix="Start Redis or correct REDIS_URL.", look=partial(_redis, settings)),
        Check(names=("nats",), fix="Start NATS or correct NATS_URL.", look=partial(_nats, settings)),
    )


async def look_at(checks: Sequence[Check], limiter: CapacityLimiter, seconds: float = DEADLINE_SECONDS) -> Readiness:
    """Every finding of every check within the deadline; a server that hangs is told as one that does not answer."""
    found: dict[str, Sequence[Finding]] = {check.names[0]: _silent(check, seconds) for check in checks}

    async def run(check: Check) -> None:
        # A look that hangs is left to its thread; the limiter keeps such threads few.
        found[check.names[0]] = await anyio.to_thread.run_sync(_one, check, abandon_on_cancel=True, limiter=limiter)

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for check in checks:
                group.start_soon(run, check)
    return Readiness(findings=tuple(finding for check in checks for finding in found[check.names[0]]))


def _one(check: Check) -> Sequence[Finding]:
    """The check's findings; an error of its server is one of them."""
    begun = time.perf_counter()
    try:
        return check.look()
    except SettingError as error:
        message, fix = sentence_and_fix(error)
        return _broken(check, message, fix)
    except (PipelineError, OSError, redis.RedisError, ValueError) as error:
        log.warning("check_failed", check=check.names[0], error=type(error).__name__, reason=str(error))
        return _broken(check, f"No answer from {_SERVERS[check.names[0]]} after {time.perf_counter() - begun:.1f} s.")


_SERVERS = {"database": "PostgreSQL", "redis": "Redis", "nats": "NATS"}


def _silent(check: Check, seconds: float) -> Sequence[Finding]:
    return _broken(check, f"No answer from {_SERVERS[check.names[0]]} within {seconds:.0f} s.")


def _broken(check: Check, message: str, fix: str = "") -> Sequence[Finding]:
    first, *others = check.names
    mended = fix or check.fix
    return (
        Finding(name=first, status=Status.FAILED, message=message, fix=mended),
        *(
            Finding(name=name, status=Status.SKIPPED, message=f"Not looked at, because {first} failed.", fix=mended)
            for name in others
        ),
    )


def _passed(name: str, message: str) -> Finding:
    return Finding(name=name, status=Status.PASSED, message=message)


def _database(settings: Settings) -> Sequence[Finding]:
    with checked_database(settings) as connection:
        return (_passed("database", "PostgreSQL answers."), _schema(schema.current(connection), schema.head()))


def _schema(found: str | None, needed: str) -> Finding:
    """Decides whether this code can work on that schema."""
    if found == needed:
        return _passed("schema", f"The schema is at revision {needed}.")
    stands = f"at revision {found}" if found else "empty"
    return Finding(
        name="schema",
        status=Status.FAILED,
        message=f"The schema is {stands} and this program needs {needed}.",
        fix="Run `mspbyte db upgrade`; if the schema is newer, deploy the program it belongs to.",
    )


def _redis(settings: Settings) -> Sequence[Finding]:
    ping_redis(settings.require("redis_url"))
    return (_passed("redis", "Redis answers."),)


def _nats(settings: Settings) -> Sequence[Finding]:
    """A NATS server speaks first; no credentials are needed to hear that it is one."""
    first = settings.require("nats_url").split(",")[0]
    address = urlsplit(first if "//" in first else f"nats://{first}")
    with socket.create_connection((address.hostname or "", address.port or NATS_PORT), CONNECT_SECONDS) as server:
        greeting = server.recv(LONGEST_INFO)
    if not greeting.startswith(b"INFO "):
        raise TransientError("What listens at NATS_URL does not speak NATS.")
    return (_passed("nats", "NATS answers."),)


@contextmanager
def checked_database(settings: Settings) -> Iterator[Connection]:
    """A transaction on a connection of its own, for a look at the database; raises ``PipelineError``."""
    with closing(Database(settings.require("database_url"), pool_size=1)) as database, database.begin() as connection:
        yield connection


def ping_redis(url: str) -> None:
    """Returns when Redis answers; raises what its client does, ``ValueError`` for what is no URL."""
    with closing(connect_redis(url)) as client:
        client.ping()


def sentence_and_fix(error: PipelineError) -> tuple[str, str]:
    """An error's first sentence, and what it says to do about it, empty where it says nothing."""
    sentence, _, fix = str(error).partition(". ")
    return f"{sentence.rstrip('.')}.", fix
