"""``mspbyte alerts``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AlertArgument, AsJson, Limit, TenantOption, noun
from pipeline.cli.pages.alert import alert_document, show_alert
from pipeline.cli.pages.history import history_table
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.streams import say, tell
from pipeline.cli.pages.styles import SEVERITY_STYLES
from pipeline.domain.alerts import OPEN_STATUSES, AlertStatus
from pipeline.domain.findings import AlertType, Severity
from pipeline.storage.reports.alerts import AlertFilter, AlertPage, AlertSummary, count_alerts, find_alert, list_alerts
from pipeline.storage.reports.history import HistoryEntry, alert_history
from pipeline.storage.reports.prefixes import SHORT
from pipeline.storage.reports.reach import reach_of

app = noun("What is wrong in the tenants, explained.")

TABLE_LENGTH = 50


@app.command("list")
def list_(
    *,
    tenant: TenantOption = None,
    types: Annotated[list[AlertType] | None, typer.Option("--type", help="Of this type; may be repeated.")] = None,
    severities: Annotated[
        list[Severity] | None, typer.Option("--severity", help="Of this severity; may be repeated.")
    ] = None,
    statuses: Annotated[
        list[AlertStatus] | None,
        typer.Option("--status", help="In this status; may be repeated. Without it: active and acknowledged."),
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List alerts, the worst first; the open ones unless --status says otherwise."""
    wanted = AlertFilter(types=types or (), severities=severities or (), statuses=statuses or OPEN_STATUSES)
    most = limit or (None if as_json else TABLE_LENGTH)
    with opened_database() as database, database.begin() as connection:
        reach = reach_of(connection, tenant)
        found = list_alerts(connection, reach, wanted, most=most)
        total = len(found) if as_json or len(found) != most else count_alerts(connection, reach, wanted)
    if as_json:
        print_json(found)
    elif not found:
        say("There is no such alert.")
    else:
        _show_list(found, one_tenant=tenant is not None)
        if total > len(found):
            tell(f"{total - len(found)} more; --limit {total} shows them all.")


def _show_list(found: list[AlertSummary], *, one_tenant: bool) -> None:
    mixed = len({one.status for one in found}) > 1
    columns = [
        "alert",
        "severity",
        "type",
        *([] if one_tenant else ["tenant"]),
        "about",
        *(["status"] if mixed else []),
    ]
    rows = table(*columns, whole=("alert", "severity", "type"))
    for one in found:
        rows.add_row(
            str(one.id)[:SHORT],
            plain(one.severity.value, SEVERITY_STYLES[one.severity]),
            one.type.value,
            *(() if one_tenant else (plain(one.tenant),)),
            plain(one.entity),
            *((one.status.value,) if mixed else ()),
        )
    show(rows)


@app.command("show")
def show_(alert: AlertArgument, *, as_json: AsJson = False) -> None:
    """Explain one alert: what is wrong, on which facts, how to mend it, and what happened to it."""
    page, entries = _find(alert)
    if as_json:
        print_json(alert_document(page, entries))
    else:
        show_alert(page, entries)


@app.command()
def history(alert: AlertArgument, *, as_json: AsJson = False) -> None:
    """Show what happened to one alert, in time order."""
    _, entries = _find(alert)
    if as_json:
        print_json(entries)
    else:
        show(history_table(entries, named=False))


def _find(alert: str) -> tuple[AlertPage, list[HistoryEntry]]:
    with opened_database() as database, database.begin() as connection:
        page = find_alert(connection, alert)
        return page, alert_history(connection, page.summary.tenant_id, page.summary.id)
