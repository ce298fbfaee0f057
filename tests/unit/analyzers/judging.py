"""One rule over one tenant, as the tests ask for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from analyzers.catalogue import rule_of
from analyzers.unified import analyze
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import FIRST_TIME, Exemption, ExemptionKind, RuleSettings, RuleState
from tests.unit.analyzers.build import NOW


def judged(
    alert_type: AlertType, graph: TenantGraph, now: datetime = NOW, *, state: RuleState = FIRST_TIME
) -> AnalysisResult:
    """What this rule says; other rules of its analysis type run too and are left out."""
    kind = rule_of(alert_type).analysis_type
    result = analyze(graph, frozenset({kind}), now, state=state)
    return replace(
        result,
        findings=tuple(one for one in result.findings if one.alert_type is alert_type),
        not_evaluated=tuple(one for one in result.not_evaluated if one.alert_type is alert_type),
        rules=tuple(one for one in result.rules if one.alert_type is alert_type),
    )


def found(
    alert_type: AlertType, graph: TenantGraph, *, state: RuleState = FIRST_TIME
) -> list[tuple[str, str, Severity]]:
    """(external id, subject, severity) of its findings."""
    return [(one.external_id, one.subject, one.severity) for one in judged(alert_type, graph, state=state).findings]


def single(alert_type: AlertType, graph: TenantGraph, now: datetime = NOW) -> Finding:
    """Its only finding."""
    (finding,) = judged(alert_type, graph, now).findings
    return finding


def untold(alert_type: AlertType, graph: TenantGraph) -> list[tuple[str, str]]:
    """(external id, reason) of what it cannot tell; an empty id is the rule as a whole."""
    return [(one.external_id, one.reason) for one in judged(alert_type, graph).not_evaluated]


def with_threshold(alert_type: AlertType, value: int) -> RuleState:
    return RuleState(settings=RuleSettings(thresholds={alert_type: value}))


def exempting(kind: ExemptionKind, external_id: str, alert_type: AlertType | None = None) -> RuleState:
    one = Exemption(kind=kind, external_id=external_id, alert_type=alert_type)
    return RuleState(settings=RuleSettings(exemptions=(one,)))


def analyzed(
    kind: AnalysisType, graph: TenantGraph, now: datetime = NOW, *, state: RuleState = FIRST_TIME
) -> AnalysisResult:
    """What every rule of the type says, and the MFA coverage of everybody."""
    return analyze(graph, frozenset({kind}), now, state=state, explain_everybody=True)


def raised(result: AnalysisResult) -> list[tuple[AlertType, str, str, Severity]]:
    """(alert type, external id, subject, severity) of its findings."""
    return [(one.alert_type, one.external_id, one.subject, one.severity) for one in result.findings]


def unsure(result: AnalysisResult) -> list[tuple[AlertType, str, str]]:
    """(alert type, external id, subject) of what it cannot tell; an empty id is the rule as a whole."""
    return [(one.alert_type, one.external_id, one.subject) for one in result.not_evaluated]
