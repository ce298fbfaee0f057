"""Times as people write and read them. Everything is UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.cli.grammar import quoted
from pipeline.errors import UserError


def current_time() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def parsed_moment(text: str, name: str) -> datetime:
    """An ISO time; one without a zone is UTC. Raises ``UserError`` naming the option."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{name} is {text!r}, which is no ISO time; write it like 2026-01-31T12:00:00Z.") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def shown(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


def refused_text(tenant: str, since: datetime, next_try: datetime | None, because: str | None) -> str:
    """Since when a tenant has refused us, why, and what tries again: the rest of a sentence, and more of them."""
    again = f", next try {shown(next_try)} UTC" if next_try else ""
    why = f" {because.rstrip('.')}." if because else ""
    return f"refused since {shown(since)} UTC{again}.{why} `mspbyte sync {quoted(tenant)}` tries at once."


def seconds(value: float | None) -> str:
    """A length of time: milliseconds below one second, tenths below a minute."""
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{int(value) // 60} min {int(value) % 60} s"  # noqa: PLR2004 - a minute
