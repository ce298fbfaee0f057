"""Which enabled accounts are not used any more?

Raises ``stale_user``. Imports no other analyzer, only what they share.
"""

from __future__ import annotations

from datetime import datetime

from analyzers.activity import Activity, Use, activity, cutoff
from analyzers.facts import Facts
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, NotEvaluated, Severity
from pipeline.domain.graph import TenantGraph


def analyze(graph: TenantGraph, now: datetime, facts: Facts | None = None) -> AnalysisResult:
    """A finding for every enabled account without a successful sign-in for the tenant's threshold of days."""
    facts = facts or Facts(graph=graph)
    missing = graph.unreadable(Resource.USERS, Resource.SIGN_IN_ACTIVITY)
    if missing is not None or facts.holders.ids is None:
        return AnalysisResult(not_evaluated=(_untold(missing or facts.holders.reason),))
    since = cutoff(now, graph.stale_after_days)
    findings: list[Finding] = []
    untold: list[NotEvaluated] = []
    for key in sorted(graph.identities):
        user = graph.identities[key]
        seen = activity(user, since, unreadable=None)
        if seen.use is Use.UNKNOWN:
            untold.append(_untold(seen.why, key))
        elif seen.use is Use.STALE:
            findings.append(_finding(user, seen, graph.stale_after_days, privileged=key in facts.holders.ids))
    return AnalysisResult(
        findings=tuple(findings), not_evaluated=tuple(untold), completed=frozenset({AnalysisType.STALE})
    )


def _untold(reason: str, external_id: str = "") -> NotEvaluated:
    return NotEvaluated(alert_type=AlertType.STALE_USER, reason=reason, external_id=external_id)


def _severity(user: Identity, *, privileged: bool) -> Severity:
    if privileged:
        return Severity.HIGH
    return Severity.MEDIUM if user.sku_ids else Severity.LOW


def _finding(user: Identity, seen: Activity, threshold: int, *, privileged: bool) -> Finding:
    return Finding(
        alert_type=AlertType.STALE_USER,
        severity=_severity(user, privileged=privileged),
        entity_type=EntityType.IDENTITIES,
        external_id=user.id,
        message=f"{name_of(user)} {seen.why}; the account is enabled and unused for more than {threshold} days.",
        reasons=("never_signed_in",) if seen.never else ("no_recent_sign_in",),
        evidence={"privileged": privileged, "sku_ids": sorted(user.sku_ids)},
    )
