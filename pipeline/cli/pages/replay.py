"""What a changed rule would do, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table
from rich.text import Text

from analyzers.replay import Replay, Standing
from analyzers.rule import Rule
from pipeline.cli.grammar import quoted
from pipeline.cli.pages.output import heading, plain, show, table
from pipeline.cli.pages.streams import say, tell
from pipeline.cli.pages.styles import SEVERITY_STYLES

MOST_LINES = 20
"""Alerts shown one by one of each kind and tenant; JSON has them all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What the change would do in one tenant, as of a capture."""

    tenant: str
    captured_at: datetime | None
    result: Replay


def replay_document(rule: Rule, threshold: int | None, replayed: Sequence[Replayed]) -> Mapping[str, object]:
    """Everything, for programs."""
    return {
        "rule": rule.id,
        "threshold": threshold,
        "tenants": [
            {
                "tenant": one.tenant,
                "captured_at": one.captured_at,
                "gained": one.result.gained,
                "lost": one.result.lost,
                "changed": one.result.changed,
                "kept": one.result.kept,
                "untold": one.result.untold,
            }
            for one in replayed
        ],
    }


def show_replays(rule: Rule, threshold: int | None, replayed: Sequence[Replayed]) -> None:
    """A line a tenant; the alerts themselves where there is one tenant only."""
    if not replayed:
        say("There is no Microsoft 365 tenant to replay.")
        return
    say(_compared(rule, threshold))
    show(_summary(replayed))
    silent = [one for one in replayed if one.result.untold]
    if silent:
        show(Text(), _untold(silent))
    if len(replayed) == 1:
        _show_alerts(replayed[0].result)
    if threshold is not None and any(one.result.gained or one.result.lost for one in replayed):
        command = f"mspbyte rules set {rule.id} --tenant {_name(replayed)} --threshold {threshold} --reason …"
        tell(f"`{command}` puts it in force.")


def _compared(rule: Rule, threshold: int | None) -> str:
    """What is compared with what."""
    if threshold is None or rule.threshold is None:
        return f"{rule.id}, compared with the alerts that stand:"
    return f"{rule.id} with {threshold} {rule.threshold.unit}, compared with the rule as it is set:"


def _name(replayed: Sequence[Replayed]) -> str:
    names = {one.tenant for one in replayed}
    return quoted(names.pop()) if len(names) == 1 else "NAME"


def _summary(replayed: Sequence[Replayed]) -> Table:
    numbers = ("gained", "lost", "changed", "kept")
    rows = table("tenant", "as of (UTC)", *numbers, right=numbers, whole=("as of (UTC)",))
    for one in replayed:
        found = one.result
        counts = (len(found.gained), len(found.lost), len(found.changed), found.kept)
        moment = f"{one.captured_at:%Y-%m-%d %H:%M}" if one.captured_at else ""
        rows.add_row(plain(one.tenant), moment, *(("",) * len(numbers) if found.untold else map(str, counts)))
    if len(replayed) > 1:
        totals = (
            sum(len(one.result.gained) for one in replayed),
            sum(len(one.result.lost) for one in replayed),
            sum(len(one.result.changed) for one in replayed),
            sum(one.result.kept for one in replayed),
        )
        rows.add_row("all", "", *map(str, totals), style="bold")
    return rows


def _untold(replayed: Sequence[Replayed]) -> Table:
    rows = table("tenant", "could not be told, because")
    for one in replayed:
        rows.add_row(plain(one.tenant), plain(one.result.untold, "yellow"))
    return rows


def _show_alerts(found: Replay) -> None:
    for title, alerts in (("Gained", found.gained), ("Lost", found.lost), ("With another severity", found.changed)):
        if alerts:
            show(heading(title), _lines(alerts))


def _lines(alerts: Sequence[Standing]) -> Table:
    rows = table("severity", "alert", whole=("severity",))
    for one in alerts[:MOST_LINES]:
        rows.add_row(plain(one.severity.value, SEVERITY_STYLES[one.severity]), plain(one.message))
    if len(alerts) > MOST_LINES:
        rows.add_row("", f"… and {len(alerts) - MOST_LINES} more; --json has them all.")
    return rows
