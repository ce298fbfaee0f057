"""An analysis as the JSON document that ``mspbyte analyze --json`` prints; its shape is a contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.domain.findings import AnalysisResult, Finding

FindingDocument = Mapping[str, str | Sequence[str]]
Document = Mapping[str, Sequence[FindingDocument]]


def document(result: AnalysisResult) -> Document:
    """The result in a fixed order; what could not be told is said once per rule and reason."""
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
