"""Is MFA demanded of every user who can sign in?

Raises ``mfa_not_enforced`` and ``mfa_partial_enforced`` and gives the coverage of every user. Imports no other
analyzer, only what they share.
"""

from __future__ import annotations

from datetime import datetime

from analyzers.coverage import UserCoverage
from analyzers.facts import Facts
from analyzers.wording import name_of
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import (
    AlertType,
    AnalysisResult,
    AnalysisType,
    Finding,
    MfaCoverage,
    NotEvaluated,
    Severity,
    Verdict,
)
from pipeline.domain.graph import TenantGraph

ALERTS = (AlertType.MFA_NOT_ENFORCED, AlertType.MFA_PARTIAL_ENFORCED)


def analyze(graph: TenantGraph, now: datetime, facts: Facts | None = None) -> AnalysisResult:  # noqa: ARG001 - no rule here looks at the clock; one signature for all analyzers
    """A finding for every user whose coverage is none or partial, and the coverage of all.

    Complete when users, policies, roles and whatever the policies refer to were read. If one of the latter was
    not, users it cannot matter to still get their verdict.
    """
    facts = facts or Facts(graph=graph)
    coverage = tuple(_public(key, covered) for key, covered in facts.coverage.users.items())
    missing = facts.coverage.unreadable or (facts.holders.reason if facts.holders.ids is None else None)
    if missing is not None or facts.holders.ids is None:
        return AnalysisResult(not_evaluated=_rule_level(missing or ""), mfa_coverage=coverage)
    findings, untold = _judge(graph, facts, facts.holders.ids)
    incomplete = next((one.because for one in facts.coverage.users.values() if one.input_missing), None)
    return AnalysisResult(
        findings=findings,
        not_evaluated=(*_rule_level(incomplete), *untold) if incomplete is not None else untold,
        completed=frozenset() if incomplete is not None else frozenset({AnalysisType.MFA}),
        mfa_coverage=coverage,
    )


def _judge(
    graph: TenantGraph, facts: Facts, privileged: frozenset[str]
) -> tuple[tuple[Finding, ...], tuple[NotEvaluated, ...]]:
    findings: list[Finding] = []
    untold: list[NotEvaluated] = []
    for key, covered in facts.coverage.users.items():
        if covered.verdict is Verdict.UNKNOWN:
            untold += [NotEvaluated(alert_type=alert, reason=covered.because, external_id=key) for alert in ALERTS]
        elif covered.verdict in {Verdict.NONE, Verdict.PARTIAL}:
            findings.append(_finding(graph.identities[key], covered, privileged=key in privileged))
    return tuple(findings), tuple(untold)


def _rule_level(reason: str) -> tuple[NotEvaluated, ...]:
    return tuple(NotEvaluated(alert_type=alert, reason=reason) for alert in ALERTS)


def _public(key: str, covered: UserCoverage) -> MfaCoverage:
    return MfaCoverage(user_id=key, verdict=covered.verdict, reasons=covered.reasons, policy_ids=covered.policy_ids)


def _finding(user: Identity, covered: UserCoverage, *, privileged: bool) -> Finding:
    if covered.verdict is Verdict.NONE:
        alert, message = AlertType.MFA_NOT_ENFORCED, f"{name_of(user)} can sign in without MFA: {covered.because}."
        severity = Severity.CRITICAL if privileged else Severity.HIGH
    else:
        alert = AlertType.MFA_PARTIAL_ENFORCED
        message = f"{name_of(user)} can sign in without MFA in some situations: {covered.because}."
        severity = Severity.HIGH if privileged else Severity.MEDIUM
    return Finding(
        alert_type=alert,
        severity=severity,
        entity_type=EntityType.IDENTITIES,
        external_id=user.id,
        message=message,
        reasons=covered.reasons,
        evidence={
            "policy_ids": list(covered.policy_ids),
            "excluded_by": list(covered.excluded_by),
            "privileged": privileged,
        },
    )
