"""Which enabled accounts does no policy look after at all?

Raises ``policy_gap``. Imports no other analyzer, only what they share.
"""

from __future__ import annotations

from datetime import datetime

from analyzers.coverage import Doubt
from analyzers.facts import Facts
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, NotEvaluated, Severity
from pipeline.domain.graph import TenantGraph


def analyze(graph: TenantGraph, now: datetime, facts: Facts | None = None) -> AnalysisResult:  # noqa: ARG001 - no rule here looks at the clock; one signature for all analyzers
    """A finding for every enabled account in the scope of no enabled policy while security defaults are off.

    Any enabled policy counts, whatever it demands; a policy for workload identities never concerns a user.
    """
    facts = facts or Facts(graph=graph)
    missing = facts.coverage.unreadable or (facts.holders.reason if facts.holders.ids is None else None)
    if missing is not None or facts.holders.ids is None:
        return AnalysisResult(not_evaluated=(_untold(missing or ""),))
    gaps = [key for key, one in facts.coverage.users.items() if one.governed is False and graph.identities[key].enabled]
    doubts = {key: one.governed_doubt for key, one in facts.coverage.users.items() if one.governed_doubt is not None}
    return _conclude(graph, gaps, doubts, facts.holders.ids)


def _conclude(
    graph: TenantGraph, gaps: list[str], doubts: dict[str, Doubt], privileged: frozenset[str]
) -> AnalysisResult:
    """Security defaults look after everybody, so they are asked about only where policies leave someone out."""
    if gaps or doubts:
        unread = graph.unreadable(Resource.SECURITY_DEFAULTS)
        if unread is not None:
            return AnalysisResult(not_evaluated=(_untold(unread),))
        if graph.security_defaults is not None and graph.security_defaults.enabled:
            return AnalysisResult(completed=frozenset({AnalysisType.POLICY}))
    missing = next((doubt.reason for doubt in doubts.values() if doubt.input_missing), None)
    untold = tuple(_untold(doubt.reason, key) for key, doubt in doubts.items())
    return AnalysisResult(
        findings=tuple(_finding(graph.identities[key], privileged=key in privileged) for key in gaps),
        not_evaluated=untold if missing is None else (_untold(missing), *untold),
        completed=frozenset({AnalysisType.POLICY}) if missing is None else frozenset(),
    )


def _untold(reason: str, external_id: str = "") -> NotEvaluated:
    return NotEvaluated(alert_type=AlertType.POLICY_GAP, reason=reason, external_id=external_id)


def _finding(user: Identity, *, privileged: bool) -> Finding:
    return Finding(
        alert_type=AlertType.POLICY_GAP,
        severity=Severity.HIGH if privileged else Severity.MEDIUM,
        entity_type=EntityType.IDENTITIES,
        external_id=user.id,
        message=(
            f"No conditional access policy applies to {name_of(user)}: no enabled policy has the account in scope "
            "and security defaults are off."
        ),
        reasons=("users",),
        evidence={"privileged": privileged},
    )
