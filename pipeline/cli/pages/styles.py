"""Which colour says what."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.domain.alerts import AlertStatus
from pipeline.domain.findings import Severity, Verdict
from pipeline.domain.runs import RunState, StepState

SEVERITY_STYLES: Mapping[Severity, str] = {
    Severity.LOW: "blue",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}
VERDICT_STYLES: Mapping[Verdict, str] = {
    Verdict.FULL: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.NONE: "red",
    Verdict.UNKNOWN: "magenta",
    Verdict.NOT_APPLICABLE: "dim",
}
ALERT_STYLES: Mapping[AlertStatus, str] = {
    AlertStatus.ACTIVE: "red",
    AlertStatus.ACKNOWLEDGED: "yellow",
    AlertStatus.SUPPRESSED: "dim",
    AlertStatus.RESOLVED: "green",
}
RUN_STYLES: Mapping[RunState, str] = {RunState.RUNNING: "cyan", RunState.SUCCEEDED: "green", RunState.FAILED: "red"}
STEP_STYLES: Mapping[StepState, str] = {
    StepState.PENDING: "dim",
    StepState.DISPATCHED: "dim",
    StepState.WAITING: "yellow",
    StepState.RUNNING: "cyan",
    StepState.DONE: "green",
    StepState.FAILED: "red",
    StepState.SKIPPED: "dim",
}
