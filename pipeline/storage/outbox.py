"""The outbox: events written in the transaction they tell of, published afterwards by the relay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from pipeline.domain.runs import Scope
from pipeline.events import Event
from pipeline.storage.bulk import copy_rows
from pipeline.storage.tables import outbox

CHANNEL = "mspbyte_outbox"
"""NOTIFY channel that wakes the relay; a trigger on the table rings it."""


def add_events(connection: Connection, scope: Scope, events: Iterable[Event], now: datetime) -> int:
    """How many events were written, outside a step; a step's events go with its completion in the ledger."""
    return copy_rows(
        connection,
        outbox.name,
        ("id", "tenant_id", "source_id", "subject", "payload", "created_at"),
        (
            (event.id, scope.tenant_id, scope.source_id, event.subject, json.dumps(dict(event.payload)), now)
            for event in events
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxRow:
    sequence: int
    id: UUID
    subject: str
    payload: bytes


RELAY_LOCK = 0x6D737071


def hold_relay_lock(connection: Connection) -> bool:
    """True when this transaction may publish; one relay at a time keeps the events of a source in order."""
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": RELAY_LOCK}).scalar_one())


UNPUBLISHED = text("""
SELECT sequence, id, subject, payload::text AS payload FROM outbox
 WHERE published_at IS NULL ORDER BY sequence LIMIT :most
""")


def unpublished(connection: Connection, most: int) -> list[OutboxRow]:
    """The oldest events not yet published."""
    rows = connection.execute(UNPUBLISHED, {"most": most})
    return [
        OutboxRow(sequence=row.sequence, id=row.id, subject=row.subject, payload=row.payload.encode()) for row in rows
    ]


def mark_published(connection: Connection, sequences: Sequence[int], now: datetime) -> None:
    connection.execute(
        text("UPDATE outbox SET published_at = :now WHERE sequence = ANY(:sequences)"),
        {"sequences": list(sequences), "now": now},
    )


def delete_published_before(connection: Connection, moment: datetime) -> int:
    return connection.execute(
        text("DELETE FROM outbox WHERE published_at IS NOT NULL AND published_at < :moment"), {"moment": moment}
    ).rowcount
