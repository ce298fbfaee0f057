"""Are licences paid for that nobody uses, or used that nobody pays for?

Raises ``license_waste`` and ``license_overuse``. Imports no other analyzer, only what they share.
"""

from __future__ import annotations

from datetime import datetime

from analyzers.activity import Activity, Use, activity, cutoff
from analyzers.facts import Facts
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity, License
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, NotEvaluated, Severity
from pipeline.domain.graph import TenantGraph


def analyze(graph: TenantGraph, now: datetime, facts: Facts | None = None) -> AnalysisResult:  # noqa: ARG001 - needs no shared fact; one signature for all analyzers
    """Waste per user and SKU, overuse per SKU.

    Complete when users and SKUs were read. Sign-in activity needs a premium licence and is not demanded: without
    it a disabled holder is still told, and every enabled one is listed as not evaluated.
    """
    overuse = _overuse(graph)
    waste = _waste(graph, now)
    both = AnalysisType.LICENSE in overuse.completed & waste.completed
    return AnalysisResult(
        findings=(*overuse.findings, *waste.findings),
        not_evaluated=(*overuse.not_evaluated, *waste.not_evaluated),
        completed=frozenset({AnalysisType.LICENSE}) if both else frozenset(),
    )


def _overuse(graph: TenantGraph) -> AnalysisResult:
    """https://learn.microsoft.com/graph/api/resources/subscribedsku: warning units still work, suspended ones don't."""
    missing = graph.unreadable(Resource.SKUS)
    if missing is not None:
        return AnalysisResult(not_evaluated=(NotEvaluated(alert_type=AlertType.LICENSE_OVERUSE, reason=missing),))
    skus = [graph.licenses[key] for key in sorted(graph.licenses)]
    over = [
        sku for sku in skus if sku.applies_to == "User" and sku.consumed_units > sku.enabled_units + sku.warning_units
    ]
    return AnalysisResult(findings=tuple(_overused(sku) for sku in over), completed=frozenset({AnalysisType.LICENSE}))


def _overused(sku: License) -> Finding:
    seats = sku.enabled_units + sku.warning_units
    return Finding(
        alert_type=AlertType.LICENSE_OVERUSE,
        severity=Severity.HIGH,
        entity_type=EntityType.LICENSES,
        external_id=sku.id,
        message=f"{_product(sku.id, sku)} is assigned to {sku.consumed_units} users but has {seats} seats.",
        reasons=("consumed_over_seats",),
        evidence={"sku_part_number": sku.part_number},
    )


def _product(key: str, sku: License | None) -> str:
    return sku.part_number if sku is not None and sku.part_number else key


def _waste(graph: TenantGraph, now: datetime) -> AnalysisResult:
    missing = graph.unreadable(Resource.USERS, Resource.SKUS)
    if missing is not None:
        return AnalysisResult(not_evaluated=(NotEvaluated(alert_type=AlertType.LICENSE_WASTE, reason=missing),))
    unreadable = graph.unreadable(Resource.SIGN_IN_ACTIVITY)
    since = cutoff(now, graph.stale_after_days)
    findings: list[Finding] = []
    untold: list[NotEvaluated] = []
    for key in sorted(graph.identities):
        user = graph.identities[key]
        if not user.sku_ids:
            continue
        seen = activity(user, since, unreadable=unreadable)
        for sku in sorted(user.sku_ids):
            if seen.use is Use.UNKNOWN:
                untold.append(_untold(user, sku, seen))
            elif seen.use is not Use.IN_USE:
                findings.append(_wasted(user, sku, graph.licenses.get(sku), seen))
    return AnalysisResult(
        findings=tuple(findings), not_evaluated=tuple(untold), completed=frozenset({AnalysisType.LICENSE})
    )


def _untold(user: Identity, sku: str, seen: Activity) -> NotEvaluated:
    return NotEvaluated(alert_type=AlertType.LICENSE_WASTE, reason=seen.why, external_id=user.id, subject=sku)


def _wasted(user: Identity, key: str, sku: License | None, seen: Activity) -> Finding:
    disabled = seen.use is Use.DISABLED
    why = "has a disabled account" if disabled else seen.why
    return Finding(
        alert_type=AlertType.LICENSE_WASTE,
        severity=Severity.MEDIUM if disabled else Severity.LOW,
        entity_type=EntityType.IDENTITIES,
        external_id=user.id,
        subject=key,
        message=f"{name_of(user)} holds {_product(key, sku)} but {why}.",
        reasons=("account_disabled",) if disabled else ("account_stale",),
        evidence={"sku_id": key, "sku_part_number": _product(key, sku), "disabled": disabled},
    )
