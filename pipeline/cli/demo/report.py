"""The demo's closing page in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli.demo.results import Results, TenantResult
from pipeline.domain.runs import BRANCH_STAGES

ALERT_TYPES = {
    "mfa_not_enforced": "MFA\nnone",
    "mfa_partial_enforced": "MFA\npartial",
    "policy_gap": "policy\ngap",
    "license_waste": "licence\nwaste",
    "license_overuse": "licence\noveruse",
    "stale_user": "stale\nuser",
    "tenant_unreachable": "not\nreached",
}
FURTHER = "other\nrules"
"""The heading over what the other rules found, which only the new branch knows."""

BRANCHES = {"comparison": "compared"}
TEXT_COLUMNS = 2


def print_report(console: Console, results: Results, first_alert_seconds: float | None) -> None:
    """Alerts by tenant and type, stage times and statements, one alert explained, the comparison, what to type next."""
    for table in (_alerts(results), _stages(results)):
        console.print(table)
        console.print()
    if first_alert_seconds is not None:
        console.print(f"The first alert stood {first_alert_seconds:.1f} s after the start.\n")
    _example(console, results)
    _comparison(console, results)


def _table(title: str, *headings: str) -> Table:
    """A table that fits 80 columns: the first two columns are text, the rest figures."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < TEXT_COLUMNS else "right", no_wrap=True)
    return table


def _alerts(results: Results) -> Table:
    shown = [kind for kind in ALERT_TYPES if any(kind in tenant.alerts for tenant in results.tenants)]
    table = _table("Open alerts", "tenant", "branch", *(ALERT_TYPES[kind] for kind in shown), FURTHER)
    for tenant in results.tenants:
        counts = (str(tenant.alerts.get(kind, "·")) for kind in shown)
        further = sum(count for kind, count in tenant.alerts.items() if kind not in ALERT_TYPES)
        table.add_row(tenant.tenant, _status(tenant), *counts, str(further or "·"))
    return table


def _status(tenant: TenantResult) -> str:
    if tenant.status == "succeeded":
        return BRANCHES.get(tenant.branch, tenant.branch)
    return f"{tenant.branch} [red]{tenant.status}[/]"


def _stages(results: Results) -> Table:
    stages = (stage.value for stage in BRANCH_STAGES)
    table = _table("SQL statements and seconds", "tenant", "branch", *stages, "run")
    for tenant in results.tenants:
        for prefix, label in _lanes(tenant):
            cells = [_cell(tenant, f"{prefix}{stage.value}") for stage in BRANCH_STAGES]
            table.add_row("" if prefix else tenant.tenant, label, *cells, _total(tenant, prefix))
    return table


def _lanes(tenant: TenantResult) -> list[tuple[str, str]]:
    """Prefix of the stage names and label of each branch that ran."""
    if tenant.branch != "comparison":
        return [("", tenant.branch)]
    return [("", "legacy"), ("candidate.", "and new")]


def _cell(tenant: TenantResult, stage: str) -> str:
    if stage not in tenant.seconds:
        return "·"
    return f"{tenant.queries[stage]} {tenant.seconds[stage]:.2f}"


def _total(tenant: TenantResult, prefix: str) -> str:
    """All stages of the run in that lane; routing and capturing count for the lane that owns the run."""
    mine = [stage for stage in tenant.seconds if stage.startswith("candidate.") == bool(prefix)]
    seconds = sum(tenant.seconds[stage] for stage in mine)
    return f"{sum(tenant.queries[stage] for stage in mine)} {seconds:.2f}"


def _example(console: Console, results: Results) -> None:
    example = results.example
    if example is None:
        return
    console.print("[bold]One alert explained[/]")
    console.print(f"  {example.alert_type}, {example.severity}, {example.tenant}")
    console.print(f"  {escape(example.message)}")
    console.print(f"  Reasons: {', '.join(example.reasons)}\n")


def _comparison(console: Console, results: Results) -> None:
    compared = results.comparison
    if not compared:
        return
    undeclared = compared["discrepancies"] - compared["declared"]
    console.print(
        f"[bold]Comparison of legacy and new:[/] {compared['result']}: {compared['discrepancies']} differences, "
        f"{compared['declared']} of them declared, {undeclared} unexplained."
    )
    for cause in compared["report"]["causes"][:5]:
        why = cause["declared"] or "[red]not declared[/]"
        console.print(f"  {cause['count']:>4} × {cause['cause']}: {why}", highlight=False)
    console.print()


def print_next(console: Console, results: Results) -> None:
    """What to type next, with names that are there."""
    new = next((tenant.tenant for tenant in results.tenants if tenant.branch == "new"), "TENANT")
    compared = next((tenant.tenant for tenant in results.tenants if tenant.branch == "comparison"), "TENANT")
    example = results.example.id[:8] if results.example else "ALERT"
    console.print("[bold]Next[/], in another terminal while this one runs:")
    for line in (
        f".venv/bin/mspbyte alerts list --tenant {new}",
        f".venv/bin/mspbyte alerts show {example}",
        f".venv/bin/mspbyte runs list --tenant {compared}",
        f".venv/bin/mspbyte compare {compared} --wait",
        ".venv/bin/mspbyte doctor",
    ):
        console.print(f"  {line}", highlight=False)
