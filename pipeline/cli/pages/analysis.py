"""An analysis, as a page and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.table import Table

from pipeline.cli.pages.output import heading, plain, show, table
from pipeline.cli.pages.styles import SEVERITY_STYLES, VERDICT_STYLES
from pipeline.domain.findings import AlertType, AnalysisResult, Finding, Severity, Verdict

MOST_FINDINGS = 10

FindingDocument = Mapping[str, str | Sequence[str]]
Document = Mapping[str, Sequence[FindingDocument]]


def analysis_document(result: AnalysisResult) -> Document:
    """The result in a fixed order; what could not be told is said once per rule and reason. Its shape is a contract."""
    findings = sorted(result.findings, key=lambda one: (one.alert_type, one.entity_type, one.external_id, one.subject))
    coverage = sorted(result.mfa_coverage, key=lambda one: one.user_id)
    untold = sorted({(item.alert_type.value, item.reason) for item in result.not_evaluated})
    return {
        "findings": [_finding(finding) for finding in findings],
        "mfa_coverage": [
            {
                "user": one.user_id,
                "verdict": one.verdict.value,
                "reasons": list(one.reasons),
                "policies": list(one.policy_ids),
            }
            for one in coverage
        ],
        "not_evaluated": [{"rule": rule, "reason": reason} for rule, reason in untold],
    }


def show_analysis(result: AnalysisResult) -> None:
    """Prints the page; sections that would be empty are left out."""
    show(heading("Findings"), _by_rule(result), heading("MFA"), _by_verdict(result))
    if result.findings:
        show(heading("Worst findings"), _worst(result))
    if result.not_evaluated:
        show(heading("Could not be told"), _untold(result))


def _finding(finding: Finding) -> FindingDocument:
    """``subject`` is only there where it tells several findings on one entity apart."""
    return {
        "rule": finding.alert_type.value,
        "entity_type": finding.entity_type.value,
        "external_id": finding.external_id,
        **({"subject": finding.subject} if finding.subject else {}),
        "severity": finding.severity.value,
        "reasons": list(finding.reasons),
        "message": finding.message,
    }


def _by_rule(result: AnalysisResult) -> Table:
    counts = Counter((finding.alert_type, finding.severity) for finding in result.findings)
    severities = [severity.value for severity in reversed(Severity)]
    found = table("rule", *severities, right=severities)
    for kind in AlertType:
        if any(counts[kind, severity] for severity in Severity):
            cells = [plain(counts[kind, one] or "", SEVERITY_STYLES[one]) for one in reversed(Severity)]
            found.add_row(kind.value, *cells)
    if not counts:
        found.add_row("none")
    return found


def _by_verdict(result: AnalysisResult) -> Table:
    counts = Counter(one.verdict for one in result.mfa_coverage)
    found = table("verdict", "users", right=("users",))
    for verdict in Verdict:
        if counts[verdict]:
            found.add_row(plain(verdict.value, VERDICT_STYLES[verdict]), str(counts[verdict]))
    return found


def _worst(result: AnalysisResult) -> Table:
    found = table("severity", "rule", "finding", whole=("severity", "rule"))
    ordered = sorted(result.findings, key=lambda one: (-one.severity.rank, one.alert_type, one.external_id))
    for one in ordered[:MOST_FINDINGS]:
        found.add_row(
            plain(one.severity.value, SEVERITY_STYLES[one.severity]), one.alert_type.value, plain(one.message)
        )
    if len(ordered) > MOST_FINDINGS:
        found.add_row("", "", f"… and {len(ordered) - MOST_FINDINGS} more; --json has them all.")
    return found


def _untold(result: AnalysisResult) -> Table:
    counts = Counter((item.alert_type.value, item.reason) for item in result.not_evaluated)
    found = table("rule", "items", "reason", right=("items",), whole=("rule",))
    for (rule, reason), count in sorted(counts.items()):
        found.add_row(rule, str(count), plain(reason))
    return found
