"""One comparison, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from rich.table import Table
from rich.text import Text

from pipeline.cli.pages.moments import seconds, shown
from pipeline.cli.pages.output import facts, heading, plain, show, table
from pipeline.storage.reports.comparisons import ComparisonPage

RESULTS: Mapping[str, tuple[str, str]] = {
    "match": ("green", "Both branches say the same, but for what is declared."),
    "mismatch": ("red", "The branches differ in more than what is declared."),
    "candidate_error": ("red", "The candidate failed; the control's results stand."),
}
"""Result → colour and sentence."""

WEIGHT_STYLES: Mapping[str, str] = {"critical": "bold red", "warning": "yellow", "info": "blue"}
MOST_EXAMPLES = 10


def comparison_document(page: ComparisonPage) -> Mapping[str, object]:
    """Everything stored, and the improvement in percent."""
    return {**msgspec.to_builtins(page), "improvement_percent": improvement(page)}


def improvement(page: ComparisonPage) -> Mapping[str, float | None]:
    """How much less the candidate took than the control, in percent; ``None`` where that cannot be said."""
    control, candidate = page.performance_control, page.performance_candidate
    return {
        "seconds": _less(control.seconds, candidate.seconds),
        "queries": _less(control.queries, candidate.queries),
        "query_seconds": _less(control.query_seconds, candidate.query_seconds),
    }


def show_comparison(page: ComparisonPage) -> None:
    """Prints the page."""
    style, sentence = RESULTS.get(page.result, ("", ""))
    show(
        facts(
            [
                ("tenant", page.tenant),
                ("run", page.run),
                ("stored", f"{shown(page.created_at)} UTC"),
                ("result", Text.assemble((page.result, style), f"  {sentence}")),
                ("differences", f"{page.discrepancies}, {page.declared} of them declared"),
                ("candidate", plain(page.candidate_error, "red") if page.candidate_error else ""),
            ]
        )
    )
    if page.causes:
        show(heading("Causes"), _causes(page))
    if undeclared := [item for item in page.examples if not item.declared]:
        rows = table("weight", "kind", "item", whole=("weight", "kind"))
        for item in undeclared[:MOST_EXAMPLES]:
            rows.add_row(plain(item.weight, WEIGHT_STYLES.get(item.weight, "")), item.kind, plain(item.key))
        show(heading("Not declared, for example"), rows)
    show(heading("Performance"), _performance(page))


def _causes(page: ComparisonPage) -> Table:
    rows = table("items", "cause", "weight", "declared because", right=("items",), whole=("weight",))
    for cause in page.causes:
        weight = plain(cause.weight, WEIGHT_STYLES.get(cause.weight, ""))
        rows.add_row(str(cause.count), plain(cause.cause), weight, plain(cause.declared or "not declared"))
    return rows


def _performance(page: ComparisonPage) -> Table:
    rows = table("branch", "analyzer", "took", "queries", "in queries", right=("took", "queries", "in queries"))
    branches = (
        ("control", page.control, page.performance_control),
        ("candidate", page.candidate, page.performance_candidate),
    )
    for name, analyzer, told in branches:
        rows.add_row(name, analyzer, seconds(told.seconds), str(told.queries), seconds(told.query_seconds))
    percent = (_percent(value) for value in improvement(page).values())
    rows.add_row(plain("improvement", "bold"), "", *percent)
    return rows


def _less(control: float, candidate: float) -> float | None:
    return round((control - candidate) / control * 100, 1) if control else None


def _percent(value: float | None) -> Text:
    if value is None:
        return Text("unknown", "dim")
    return Text(f"{value:.0f} %", "green" if value >= 0 else "red")
