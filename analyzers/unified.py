"""Every analyzer over one graph, in one pass, with what they share found out once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from analyzers import license as licenses
from analyzers import mfa, policy, stale
from analyzers.facts import Facts
from pipeline.domain.findings import AnalysisResult, AnalysisType, Finding, NotEvaluated
from pipeline.domain.graph import TenantGraph

Analyzer = Callable[[TenantGraph, datetime, Facts], AnalysisResult]

ANALYZERS: tuple[tuple[AnalysisType, Analyzer], ...] = (
    (AnalysisType.MFA, mfa.analyze),
    (AnalysisType.POLICY, policy.analyze),
    (AnalysisType.LICENSE, licenses.analyze),
    (AnalysisType.STALE, stale.analyze),
)


def analyze(graph: TenantGraph, types: frozenset[AnalysisType], now: datetime) -> AnalysisResult:
    """What the analyzers of these types say together.

    ``completed`` is a subset of ``types``. Findings and what was not evaluated come in the order of type, alert
    type, entity and subject, so that equal input gives an equal result. ``privileged_ids`` is always looked at,
    ``mfa_coverage`` only for the type ``mfa``. Types without an analyzer (``tenant``) are left alone.
    """
    facts = Facts(graph=graph)
    results = [run(graph, now, facts) for kind, run in ANALYZERS if kind in types]
    return AnalysisResult(
        findings=tuple(sorted((one for result in results for one in result.findings), key=_finding_order)),
        not_evaluated=tuple(sorted((one for result in results for one in result.not_evaluated), key=_untold_order)),
        completed=frozenset().union(*(result.completed for result in results)),
        mfa_coverage=tuple(one for result in results for one in result.mfa_coverage),
        privileged_ids=facts.holders.ids,
    )


def _finding_order(finding: Finding) -> tuple[str, str, str]:
    return finding.alert_type, finding.external_id, finding.subject


def _untold_order(untold: NotEvaluated) -> tuple[str, str, str, str]:
    return untold.alert_type, untold.external_id, untold.subject, untold.reason
