"""The old stale analyzer: ``stale_user`` by the rule of ``legacy/staleness.py``, which says what is wrong with it."""

from __future__ import annotations

from datetime import datetime

from legacy.reads import LegacyReads
from legacy.staleness import is_stale
from pipeline.domain.alerts import Tag
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, Severity

REASON = "no_sign_in_attempt"


def analyze(reads: LegacyReads, now: datetime) -> AnalysisResult:
    """A finding for each enabled account whose last attempt is older than the tenant's threshold."""
    threshold = reads.stale_after_days()
    stale = [identity for identity in reads.enabled_identities() if is_stale(identity, threshold, now)]
    findings = tuple(_finding(identity, threshold, _severity(reads, identity.id)) for identity in stale)
    return AnalysisResult(findings=findings, ran=frozenset({AnalysisType.STALE}))


def _severity(reads: LegacyReads, identity_id: str) -> Severity:
    if Tag.ADMIN in reads.tags_of(identity_id):
        return Severity.HIGH
    return Severity.MEDIUM if reads.licenses_of(identity_id) else Severity.LOW


def _finding(identity: Identity, threshold: int, severity: Severity) -> Finding:
    return Finding(
        alert_type=AlertType.STALE_USER,
        severity=severity,
        entity_type=EntityType.IDENTITIES,
        external_id=identity.id,
        message=f"{identity.user_principal_name} has not tried to sign in for more than {threshold} days.",
        reasons=(REASON,),
        evidence={"threshold_days": threshold},
    )
