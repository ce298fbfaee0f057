"""The old MFA analyzer: ``mfa_not_enforced`` and ``mfa_partial_enforced``.

Known to be wrong: a policy counts whatever its state, so a report-only or disabled one is taken for protection;
exclusions of groups, roles and guests, authentication strengths, the operator and every condition (platform,
location, client, risk, excluded applications) are ignored; per-user MFA is unknown; an admin is whoever carries the
``Admin`` tag; a tenant without readable policies is a tenant without policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from legacy.analyzers.scope import concerns
from legacy.reads import LegacyReads
from pipeline.domain.alerts import Tag
from pipeline.domain.conditional_access import ConditionalAccessPolicy
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, MfaCoverage, Severity, Verdict

MFA_CONTROL = "mfa"
ALL_APPLICATIONS = "All"
SECURITY_DEFAULTS_ADMIN = "security_defaults_admin"
SECURITY_DEFAULTS_ADAPTIVE = "security_defaults_adaptive"
SOME_APPLICATIONS = "application"
NO_POLICY = "no_policy_applies"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rules:
    """What the tenant demands: the policies that mention MFA, in order, and whether security defaults are on."""

    policies: Sequence[ConditionalAccessPolicy]
    security_defaults: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Raised:
    """The alert a verdict raises: how its message opens, how severe it is for an admin and for anybody else."""

    alert_type: AlertType
    opening: str
    admin: Severity
    other: Severity


_RAISED = {
    Verdict.NONE: _Raised(
        alert_type=AlertType.MFA_NOT_ENFORCED,
        opening="MFA is not enforced for",
        admin=Severity.CRITICAL,
        other=Severity.HIGH,
    ),
    Verdict.PARTIAL: _Raised(
        alert_type=AlertType.MFA_PARTIAL_ENFORCED,
        opening="MFA is only partly enforced for",
        admin=Severity.HIGH,
        other=Severity.MEDIUM,
    ),
}


def analyze(reads: LegacyReads, _now: datetime) -> AnalysisResult:
    """A verdict for every account; findings for enabled ones with less than full coverage."""
    rules = _Rules(
        policies=tuple(policy for policy in reads.policies() if _demands_mfa(policy)),
        security_defaults=reads.security_defaults_enabled(),
    )
    coverage: list[MfaCoverage] = []
    findings: list[Finding] = []
    for identity in reads.enabled_identities():
        admin = Tag.ADMIN in reads.tags_of(identity.id)
        verdict = _cover(rules, identity, reads.groups_of(identity.id), admin=admin)
        coverage.append(verdict)
        findings.extend(_finding(identity, verdict, admin=admin))
    coverage.extend(
        MfaCoverage(user_id=identity.id, verdict=Verdict.NOT_APPLICABLE) for identity in reads.disabled_identities()
    )
    return AnalysisResult(findings=tuple(findings), ran=frozenset({AnalysisType.MFA}), mfa_coverage=tuple(coverage))


def _demands_mfa(policy: ConditionalAccessPolicy) -> bool:
    """The control is mentioned, whatever the policy's state and whatever else would do instead."""
    return policy.grant is not None and MFA_CONTROL in policy.grant.built_in_controls


def _cover(rules: _Rules, identity: Identity, groups: frozenset[str], *, admin: bool) -> MfaCoverage:
    """The first policy for all applications is full; then security defaults; then any other policy is partial."""
    applying = [policy for policy in rules.policies if concerns(policy, identity.id, groups)]
    for policy in applying:
        if ALL_APPLICATIONS in policy.applications.include:
            return MfaCoverage(user_id=identity.id, verdict=Verdict.FULL, policy_ids=(policy.id,))
    ids = tuple(policy.id for policy in applying)
    if rules.security_defaults:
        verdict, reason = (
            (Verdict.FULL, SECURITY_DEFAULTS_ADMIN) if admin else (Verdict.PARTIAL, SECURITY_DEFAULTS_ADAPTIVE)
        )
    else:
        verdict, reason = (Verdict.PARTIAL, SOME_APPLICATIONS) if applying else (Verdict.NONE, NO_POLICY)
    return MfaCoverage(user_id=identity.id, verdict=verdict, reasons=(reason,), policy_ids=ids)


def _finding(identity: Identity, coverage: MfaCoverage, *, admin: bool) -> tuple[Finding, ...]:
    raised = _RAISED.get(coverage.verdict)
    if raised is None:
        return ()
    return (
        Finding(
            alert_type=raised.alert_type,
            severity=raised.admin if admin else raised.other,
            entity_type=EntityType.IDENTITIES,
            external_id=identity.id,
            message=f"{raised.opening} {identity.user_principal_name}.",
            reasons=coverage.reasons,
            evidence={"policies": list(coverage.policy_ids)},
        ),
    )
