"""Graph's points in time."""

from __future__ import annotations

from datetime import UTC, datetime


def in_utc(moment: datetime | None) -> datetime | None:
    """The moment in UTC. Year 1, which older records carry for "no date", is ``None``; no offset means UTC."""
    if moment is None or moment.year == 1:
        return None
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
