"""One run, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from pipeline.cli.pages.history import history_table
from pipeline.cli.pages.moments import seconds, shown
from pipeline.cli.pages.output import facts, heading, plain, show, table
from pipeline.cli.pages.styles import RUN_STYLES, STEP_STYLES
from pipeline.domain.runs import Lane, RunState
from pipeline.storage.reports.history import HistoryEntry, run_history
from pipeline.storage.reports.run_details import CapturePage, RunDetails, StepPage, read_details
from pipeline.storage.reports.runs import RunSummary


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPage:
    """``history`` is ``None`` when it was not asked for."""

    summary: RunSummary
    details: RunDetails
    history: list[HistoryEntry] | None


def read_page(connection: Connection, summary: RunSummary, *, trace: bool) -> RunPage:
    return RunPage(
        summary=summary,
        details=read_details(connection, summary.id),
        history=run_history(connection, summary.tenant_id, summary.id) if trace else None,
    )


def run_document(page: RunPage) -> Mapping[str, object]:
    """Everything on the page, for programs."""
    found: dict[str, object] = {
        **msgspec.to_builtins(page.summary),
        **msgspec.to_builtins(page.details),
        "not_evaluated": page.details.not_evaluated,
        "changes_of": page.details.changes_of,
    }
    return found if page.history is None else {**found, "alert_history": page.history}


def show_page(page: RunPage) -> None:
    """Prints the page; sections that would be empty are left out."""
    run, details = page.summary, page.details
    show(_summary(page))
    show(heading("Stages"), _stages(details, run.error_message))
    if details.flags:
        show(heading("Why this branch"), _flags(details))
    if details.capture or details.changes_of:
        show(heading("What was read"), *_reading(details))
    if details.not_evaluated:
        show(heading("Could not be told"), _untold(details))
    if page.history is not None:
        show(heading("What it did to alerts"), history_table(page.history, named=True))
    if run.error_message:
        show(heading("Error"), plain(f"{run.error_code}: {run.error_message}", "red"))


def _summary(page: RunPage) -> Table:
    run = page.summary
    sentence = "The run ended early with a reason." if run.state is RunState.FAILED else run.state.sentence
    return facts(
        [
            ("run", run.id),
            ("tenant", run.tenant),
            ("state", Text.assemble((run.state.value, RUN_STYLES[run.state]), f"  {sentence}")),
            ("branch", run.branch or "not routed yet"),
            ("trigger", f"{run.trigger}, {', '.join(run.sync_types)}"),
            ("started", f"{shown(run.created_at)} UTC, took {seconds(run.seconds)}"),
            ("queries", f"{run.queries} in {seconds(run.query_seconds)}"),
            ("entities", ", ".join(f"{count} {kind}" for kind, count in sorted(page.details.entity_counts.items()))),
            ("trace", run.trace_id if page.history is not None else ""),
        ]
    )


def _stages(details: RunDetails, told_below: str | None) -> Table:
    lanes = {step.lane for step in details.steps} != {Lane.MAIN}
    numbers = ("took", "queries", "in queries")
    rows = table(*(("lane",) if lanes else ()), "stage", "state", *numbers, "", right=numbers, whole=("stage", "state"))
    for step in details.steps:
        cells = [
            step.stage.value,
            plain(step.state.value, STEP_STYLES[step.state]),
            seconds(step.seconds),
            "" if step.queries is None else str(step.queries),
            seconds(step.query_seconds),
            plain("; ".join(_remarks(step, told_below))),
        ]
        rows.add_row(*([step.lane.value] if lanes else []), *cells)
    return rows


def _remarks(step: StepPage, told_below: str | None) -> Iterator[str]:
    """What the stage left, in words; what went wrong where it is not done, unless the page tells it below."""
    if step.error_message and step.error_message == told_below:
        yield str(step.error_code)
    elif step.error_message:
        yield f"{step.error_code}: {step.error_message}"
    elif not step.state.ended:
        yield step.sentence
    if step.due_at and not step.state.ended:
        yield f"due {shown(step.due_at)}"
    if step.attempts > 1:
        yield f"{step.attempts} attempts"
    told = [f"{name} {value}" for name, value in step.facts.items() if value]
    if told:
        yield ", ".join(told)


def _flags(details: RunDetails) -> Table:
    rows = table("flag", "value", "reason", whole=("flag",))
    for flag, choice in details.flags.items():
        rows.add_row(flag.value, plain("on", "green") if choice.value else plain("off", "dim"), choice.reason.value)
    for lane, parts in details.parts.items():
        rows.add_row(
            f"parts, {lane.value}", "", f"{parts.linker} linker, {parts.analyzer} analyzer, {parts.alerts} alerts"
        )
    return rows


def _reading(details: RunDetails) -> Iterator[Table | Text]:
    """The capture, for as long as it is kept, and which lists were not read whole."""
    if details.capture:
        yield _capture(details.capture)
    if details.changes_of:
        yield plain(f"Changes only: {', '.join(details.changes_of)}; everything else whole.")


def _capture(capture: CapturePage) -> Table | Text:
    size = f"{capture.pages} pages, {capture.raw_bytes / 1024:,.0f} KiB"
    if capture.complete:
        return plain(f"Complete: {size}.")
    rows = table("resource", "why it is incomplete", whole=("resource",), title=f"Incomplete: {size}.")
    for resource, reason in capture.incomplete.items():
        rows.add_row(resource.value, plain(reason))
    return rows


def _untold(details: RunDetails) -> Table:
    rows = table("rule", "items", "reason", right=("items",), whole=("rule",))
    for item in details.not_evaluated:
        rows.add_row(item.rule, str(item.items), plain(item.reason))
    return rows
