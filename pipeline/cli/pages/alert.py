"""One alert explained, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.text import Text

from analyzers.catalogue import rule_of
from pipeline.alerts.reconcile import ACCEPTED
from pipeline.cli.pages.history import history_table
from pipeline.cli.pages.moments import shown
from pipeline.cli.pages.output import facts, heading, plain, show
from pipeline.cli.pages.streams import say
from pipeline.cli.pages.styles import ALERT_STYLES, SEVERITY_STYLES
from pipeline.domain.alerts import AlertStatus
from pipeline.storage.reports.alerts import AlertPage, AlertSummary
from pipeline.storage.reports.history import HistoryEntry


def alert_document(page: AlertPage, entries: Sequence[HistoryEntry]) -> Mapping[str, object]:
    """Everything on the page, for programs."""
    rule = rule_of(page.summary.type)
    return {
        **msgspec.to_builtins(page.summary),
        "evidence": page.evidence,
        "run": page.run_id,
        "rule": rule.title,
        "remediation": rule.remediation,
        "source_page": rule.source,
        "history": entries,
    }


def show_alert(page: AlertPage, entries: Sequence[HistoryEntry]) -> None:
    """Prints the page."""
    alert, rule = page.summary, rule_of(page.summary.type)
    show(plain(alert.message, "bold"), Text())
    show(
        facts(
            [
                ("alert", alert.id),
                ("tenant", alert.tenant),
                ("about", f"{alert.entity} ({alert.entity_type}, {alert.external_id})"),
                ("type", f"{alert.type.value}: {rule.title}"),
                ("subject", alert.subject),
                (
                    "severity",
                    Text.assemble((alert.severity.value, SEVERITY_STYLES[alert.severity]), f"  ({rule.severity})"),
                ),
                (
                    "status",
                    Text.assemble((alert.status.value, ALERT_STYLES[alert.status]), f"  {_meaning(alert, entries)}"),
                ),
                ("raised", f"{shown(alert.created_at)} UTC"),
                ("resolved", f"{shown(alert.resolved_at)} UTC" if alert.resolved_at else ""),
                ("reasons", ", ".join(alert.reasons)),
                ("last run", page.run_id),
            ]
        )
    )
    if page.evidence:
        show(heading("Evidence"), facts((name, _told(value)) for name, value in sorted(page.evidence.items())))
    show(heading("What to do"), plain(rule.remediation))
    say(rule.source)
    show(heading("History"), history_table(entries, named=False))


def _meaning(alert: AlertSummary, entries: Sequence[HistoryEntry]) -> str:
    if alert.status is AlertStatus.RESOLVED and entries and entries[-1].reason == ACCEPTED:
        return "The problem is accepted; `mspbyte rules exemptions` says by whom, why and until when."
    return alert.status.sentence


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not known" if value is None else str(value)
