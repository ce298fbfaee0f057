"""What a health check asks of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text


@dataclass(frozen=True, kw_only=True, slots=True)
class Overdue:
    """Enabled sources with something due longer than allowed; ``oldest`` is since when."""

    sources: int
    oldest: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """Events not yet published that are older than allowed."""

    events: int
    oldest: datetime | None


LATE = text("""
SELECT count(DISTINCT s.source_id) AS sources, min(s.next_due_at) AS oldest
  FROM schedules s JOIN data_sources d ON d.id = s.source_id AND d.enabled
 WHERE s.next_due_at < :before
   AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.source_id = s.source_id AND r.state = 'running')
""")
WAITING = text("""
SELECT count(*) AS events, min(created_at) AS oldest FROM outbox WHERE published_at IS NULL AND created_at < :before
""")
CREDENTIALS = text("SELECT credentials FROM data_sources WHERE enabled ORDER BY id LIMIT :most")


def overdue_schedules(connection: Connection, now: datetime, allowed: timedelta) -> Overdue:
    """A source whose run is under way is not overdue."""
    row = connection.execute(LATE, {"before": now - allowed}).one()
    return Overdue(sources=row.sources, oldest=row.oldest)


def unpublished_events(connection: Connection, now: datetime, allowed: timedelta) -> Backlog:
    row = connection.execute(WAITING, {"before": now - allowed}).one()
    return Backlog(events=row.events, oldest=row.oldest)


def sealed_credentials(connection: Connection, most: int) -> Sequence[bytes]:
    """Credentials as stored, for trying the keys on."""
    return [bytes(sealed) for sealed in connection.execute(CREDENTIALS, {"most": most}).scalars()]


def server_version(connection: Connection) -> int:
    """PostgreSQL's major version."""
    return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
