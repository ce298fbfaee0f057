"""What ``mspbyte doctor`` looks at in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from pipeline.cli.checks.outcomes import Check, fail, ok, warn
from pipeline.cli.pages.moments import current_time, shown
from pipeline.errors import SettingError, UserError
from pipeline.settings import Settings
from pipeline.storage import schema
from pipeline.storage.credentials import Vault
from pipeline.storage.reports.health import (
    overdue_schedules,
    sealed_credentials,
    server_version,
    unpublished_events,
)
from pipeline.web.checks import sentence_and_fix

OLDEST_POSTGRESQL = 15
TRIED_CREDENTIALS = 200
A_MOMENT = timedelta(minutes=1)
"""Dispatcher and relay look every second or two; what waits longer waits in vain."""


def check_storage(connection: Connection, settings: Settings) -> Iterator[Check]:
    """Everything that can be told from the database; after a wrong schema nothing but that."""
    yield _version(server_version(connection))
    found, needed = schema.current(connection), schema.head()
    if found != needed:
        sentence = f"The database is at schema {found or 'none'}, this version needs {needed}."
        yield fail("schema", sentence, "Run `mspbyte db upgrade`; of a newer schema, install its version.")
        yield check_key(settings, ())
        return
    yield ok("schema", f"The database is at this version's schema ({needed}).")
    yield check_key(settings, sealed_credentials(connection, TRIED_CREDENTIALS))
    yield _schedules(connection)
    yield _outbox(connection)


def check_key(settings: Settings, sealed: Sequence[bytes]) -> Check:
    """Whether SECRET_KEY is there, well formed, and opens what is stored."""
    name = "secret key"
    try:
        vault = Vault(settings.secret_key)
    except SettingError as error:
        sentence, fix = sentence_and_fix(error)
        return fail(name, sentence, fix or "Generate one with `mspbyte secret-key`.")
    closed = sum(not _opens(vault, one) for one in sealed)
    if closed:
        sentence = f"No key in SECRET_KEY decrypts the credentials of {closed} of {len(sealed)} data sources."
        return fail(name, sentence, "Append the key they were stored with: SECRET_KEY=new,old.")
    opened = " and opens the stored credentials" if sealed else ""
    return ok(name, f"SECRET_KEY is valid{opened}.")


def _opens(vault: Vault, sealed: bytes) -> bool:
    try:
        vault.open(sealed)
    except UserError:
        return False
    return True


def _version(found: int) -> Check:
    if found < OLDEST_POSTGRESQL:
        sentence = f"PostgreSQL {found} answers, {OLDEST_POSTGRESQL} or newer is needed."
        return fail("database", sentence, "Upgrade the server, or point DATABASE_URL at a newer one.")
    return ok("database", f"PostgreSQL {found} answers.")


def _schedules(connection: Connection) -> Check:
    late = overdue_schedules(connection, current_time(), A_MOMENT)
    if late.sources:
        sentence = f"{late.sources} data sources are overdue, the first since {shown(late.oldest)} UTC."
        return fail("schedules", sentence, "Start beat and a worker of the queue router, or wait for running syncs.")
    return ok("schedules", "No data source is overdue.")


def _outbox(connection: Connection) -> Check:
    waiting = unpublished_events(connection, current_time(), A_MOMENT)
    if waiting.events:
        sentence = f"{waiting.events} events wait to be published, the first since {shown(waiting.oldest)} UTC."
        return warn("events", sentence, "Start `mspbyte relay` and NATS; no event is lost meanwhile.")
    return ok("events", "No event waits to be published.")
