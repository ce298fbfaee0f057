"""What an analysis concludes: findings, what could not be told, and how sure the whole is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.domain.entities import EntityType


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low … 3 for critical, for comparison and sorting."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class AnalysisType(StrEnum):
    """A group of rules that run and complete together; each owns its alert types."""

    MFA = "mfa"
    POLICY = "policy"
    LICENSE = "license"
    STALE = "stale"
    PSA = "psa"
    TENANT = "tenant"
    """Facts about the connection itself; raised by the pipeline, not by an analyzer."""


class AlertType(StrEnum):
    MFA_NOT_ENFORCED = "mfa_not_enforced"
    MFA_PARTIAL_ENFORCED = "mfa_partial_enforced"
    POLICY_GAP = "policy_gap"
    LICENSE_WASTE = "license_waste"
    LICENSE_OVERUSE = "license_overuse"
    STALE_USER = "stale_user"
    PSA_COMPANY_UNLINKED = "psa_company_unlinked"
    TENANT_UNREACHABLE = "tenant_unreachable"


OWNER: Mapping[AlertType, AnalysisType] = {
    AlertType.MFA_NOT_ENFORCED: AnalysisType.MFA,
    AlertType.MFA_PARTIAL_ENFORCED: AnalysisType.MFA,
    AlertType.POLICY_GAP: AnalysisType.POLICY,
    AlertType.LICENSE_WASTE: AnalysisType.LICENSE,
    AlertType.LICENSE_OVERUSE: AnalysisType.LICENSE,
    AlertType.STALE_USER: AnalysisType.STALE,
    AlertType.PSA_COMPANY_UNLINKED: AnalysisType.PSA,
    AlertType.TENANT_UNREACHABLE: AnalysisType.TENANT,
}
"""Which analysis type may create and resolve an alert type."""

OUTLIVED = "outlived"
"""Code, in a comparison, of an alert that stands though its branch's last analysis has no finding for it."""
CANNOT_TELL = "cannot_tell"
"""Code, in a comparison, of an alert on which a branch gave no verdict."""

Evidence = Mapping[str, str | int | bool | list[str] | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One problem with one entity.

    ``subject`` tells apart several alerts of one type on one entity (the SKU of a wasted licence); empty
    otherwise. ``evidence`` holds the facts the verdict rests on and nothing volatile: no dates that move, no
    counters that change while the problem stays the same, so that it can be hashed.
    """

    alert_type: AlertType
    severity: Severity
    entity_type: EntityType
    external_id: str
    message: str
    subject: str = ""
    reasons: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=dict)

    @property
    def analysis_type(self) -> AnalysisType:
        return OWNER[self.alert_type]

    @property
    def evidence_hash(self) -> str:
        """32 hexadecimal digits over severity, reasons and evidence; equal evidence, equal hash."""
        facts = sorted((key, str(value)) for key, value in self.evidence.items())
        text = repr((self.severity.value, self.reasons, facts))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class NotEvaluated:
    """A verdict that cannot be told, with the reason as a sentence.

    ``external_id`` empty: the rule as a whole. Otherwise that one entity, whose alerts must be left alone.
    """

    alert_type: AlertType
    reason: str
    external_id: str = ""
    subject: str = ""


class Verdict(StrEnum):
    """How far MFA is demanded of a user at sign-in."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, kw_only=True, slots=True)
class MfaCoverage:
    """The verdict on one user, the policies that decided it and Microsoft's reason codes."""

    user_id: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    policy_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalysisResult:
    """What one analyzer says. ``completed`` holds the analysis types whose every rule ran over complete input."""

    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    completed: frozenset[AnalysisType] = frozenset()
    mfa_coverage: tuple[MfaCoverage, ...] = ()
    privileged_ids: frozenset[str] | None = None
    """Identities that hold a privileged role; ``None`` when it was not looked at or cannot be told."""
