"""History entries as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from rich.table import Table

from pipeline.cli.pages.moments import shown
from pipeline.cli.pages.output import plain, table
from pipeline.cli.pages.styles import ALERT_STYLES
from pipeline.storage.reports.history import HistoryEntry
from pipeline.storage.reports.prefixes import SHORT


def history_table(entries: Sequence[HistoryEntry], *, named: bool) -> Table:
    """In the order given. ``named`` is for the entries of one run: it adds which alert each is about, for the date."""
    columns = ("at (UTC)", *(("alert", "type") if named else ()), "change", "by", "reason")
    rows = table(*columns, whole=("at (UTC)", "alert", "type"))
    for entry in entries:
        rows.add_row(
            f"{entry.at.astimezone(UTC):%H:%M:%S}" if named else shown(entry.at),
            *((str(entry.alert)[:SHORT], entry.type.value) if named else ()),
            plain(_change(entry), ALERT_STYLES[entry.to_status]),
            plain(entry.actor),
            plain(entry.reason),
        )
    if not entries:
        rows.add_row("nothing")
    return rows


def _change(entry: HistoryEntry) -> str:
    if entry.from_status is None:
        return f"raised, {entry.to_severity.value}"
    parts = []
    if entry.from_status is not entry.to_status:
        parts.append(f"{entry.from_status.value} → {entry.to_status.value}")
    if entry.from_severity is not entry.to_severity and entry.from_severity is not None:
        parts.append(f"{entry.from_severity.value} → {entry.to_severity.value}")
    return ", ".join(parts) or "updated"
