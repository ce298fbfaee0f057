"""The old policy analyzer: ``policy_gap`` for enabled accounts that no policy concerns.

Known to be wrong: only an exclusion of the user by id takes a policy away, and a policy that reaches the user by
role or guest type is not seen; unreadable policies are taken for none, and then everybody has a gap.
"""

from __future__ import annotations

from datetime import datetime

from legacy.analyzers.scope import concerns
from legacy.reads import LegacyReads
from pipeline.domain.alerts import Tag
from pipeline.domain.conditional_access import PolicyState
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, Severity

REASON = "no_policy_applies"


def analyze(reads: LegacyReads, _now: datetime) -> AnalysisResult:
    """Nothing while security defaults are on; otherwise a finding a user without an enabled policy."""
    findings = () if reads.security_defaults_enabled() else _gaps(reads)
    return AnalysisResult(findings=findings, ran=frozenset({AnalysisType.POLICY}))


def _gaps(reads: LegacyReads) -> tuple[Finding, ...]:
    enabled = [policy for policy in reads.policies() if policy.state == PolicyState.ENABLED]
    findings: list[Finding] = []
    for identity in reads.enabled_identities():
        groups = reads.groups_of(identity.id)
        if not any(concerns(policy, identity.id, groups) for policy in enabled):
            findings.append(_gap(identity, admin=Tag.ADMIN in reads.tags_of(identity.id)))
    return tuple(findings)


def _gap(identity: Identity, *, admin: bool) -> Finding:
    return Finding(
        alert_type=AlertType.POLICY_GAP,
        severity=Severity.HIGH if admin else Severity.MEDIUM,
        entity_type=EntityType.IDENTITIES,
        external_id=identity.id,
        message=f"No conditional access policy applies to {identity.user_principal_name}.",
        reasons=(REASON,),
    )
