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
    REGISTRATION = "registration"
    """Which methods users have registered."""
    BASELINE = "baseline"
    """What a tenant's policies as a whole demand."""
    PRIVILEGE = "privilege"
    """Who holds privileged roles, and with what accounts."""
    POLICY_HYGIENE = "policy_hygiene"
    """What is wrong with single policies."""
    LIFECYCLE = "lifecycle"
    """Accounts that were never, or are no longer, needed."""
    SUBSCRIPTION = "subscription"
    """What was bought, and whether it was handed out."""
    APPLICATION = "application"
    DIRECTORY_SYNC = "directory_sync"
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
    ADMIN_MFA_NOT_REGISTERED = "admin_mfa_not_registered"
    USER_NOT_MFA_CAPABLE = "user_not_mfa_capable"
    NO_SECURITY_BASELINE = "no_security_baseline"
    LEGACY_AUTH_NOT_BLOCKED = "legacy_auth_not_blocked"
    DEVICE_CODE_FLOW_NOT_BLOCKED = "device_code_flow_not_blocked"
    GUEST_MFA_MISSING = "guest_mfa_missing"
    CA_LICENSED_UNUSED = "ca_licensed_unused"
    NEW_PRIVILEGED_ROLE_HOLDER = "new_privileged_role_holder"
    GLOBAL_ADMIN_COUNT = "global_admin_count"
    BREAK_GLASS_LOCKED_OUT = "break_glass_locked_out"
    SYNCED_ADMIN_ACCOUNT = "synced_admin_account"
    LICENSED_ADMIN = "licensed_admin"
    CA_EXCLUSION_GAP = "ca_exclusion_gap"
    CA_REFERS_TO_DELETED = "ca_refers_to_deleted"
    CA_REPORT_ONLY_STALE = "ca_report_only_stale"
    GUEST_STALE = "guest_stale"
    NEVER_SIGNED_IN = "never_signed_in"
    LICENSE_UNUSED_SEATS = "license_unused_seats"
    LICENSE_RENEWAL_WITH_SPARE_SEATS = "license_renewal_with_spare_seats"
    LICENSE_ASSIGNMENT_ERROR = "license_assignment_error"
    APP_CREDENTIAL_EXPIRING = "app_credential_expiring"
    SYNC_STALLED = "sync_stalled"
    PSA_COMPANY_UNLINKED = "psa_company_unlinked"
    TENANT_UNREACHABLE = "tenant_unreachable"
    RULE_STOPPED_RUNNING = "rule_stopped_running"


OWNER: Mapping[AlertType, AnalysisType] = {
    AlertType.MFA_NOT_ENFORCED: AnalysisType.MFA,
    AlertType.MFA_PARTIAL_ENFORCED: AnalysisType.MFA,
    AlertType.POLICY_GAP: AnalysisType.POLICY,
    AlertType.LICENSE_WASTE: AnalysisType.LICENSE,
    AlertType.LICENSE_OVERUSE: AnalysisType.LICENSE,
    AlertType.STALE_USER: AnalysisType.STALE,
    AlertType.ADMIN_MFA_NOT_REGISTERED: AnalysisType.REGISTRATION,
    AlertType.USER_NOT_MFA_CAPABLE: AnalysisType.REGISTRATION,
    AlertType.NO_SECURITY_BASELINE: AnalysisType.BASELINE,
    AlertType.LEGACY_AUTH_NOT_BLOCKED: AnalysisType.BASELINE,
    AlertType.DEVICE_CODE_FLOW_NOT_BLOCKED: AnalysisType.BASELINE,
    AlertType.GUEST_MFA_MISSING: AnalysisType.BASELINE,
    AlertType.CA_LICENSED_UNUSED: AnalysisType.BASELINE,
    AlertType.NEW_PRIVILEGED_ROLE_HOLDER: AnalysisType.PRIVILEGE,
    AlertType.GLOBAL_ADMIN_COUNT: AnalysisType.PRIVILEGE,
    AlertType.BREAK_GLASS_LOCKED_OUT: AnalysisType.PRIVILEGE,
    AlertType.SYNCED_ADMIN_ACCOUNT: AnalysisType.PRIVILEGE,
    AlertType.LICENSED_ADMIN: AnalysisType.PRIVILEGE,
    AlertType.CA_EXCLUSION_GAP: AnalysisType.POLICY_HYGIENE,
    AlertType.CA_REFERS_TO_DELETED: AnalysisType.POLICY_HYGIENE,
    AlertType.CA_REPORT_ONLY_STALE: AnalysisType.POLICY_HYGIENE,
    AlertType.GUEST_STALE: AnalysisType.LIFECYCLE,
    AlertType.NEVER_SIGNED_IN: AnalysisType.LIFECYCLE,
    AlertType.LICENSE_UNUSED_SEATS: AnalysisType.SUBSCRIPTION,
    AlertType.LICENSE_RENEWAL_WITH_SPARE_SEATS: AnalysisType.SUBSCRIPTION,
    AlertType.LICENSE_ASSIGNMENT_ERROR: AnalysisType.SUBSCRIPTION,
    AlertType.APP_CREDENTIAL_EXPIRING: AnalysisType.APPLICATION,
    AlertType.SYNC_STALLED: AnalysisType.DIRECTORY_SYNC,
    AlertType.PSA_COMPANY_UNLINKED: AnalysisType.PSA,
    AlertType.TENANT_UNREACHABLE: AnalysisType.TENANT,
    AlertType.RULE_STOPPED_RUNNING: AnalysisType.TENANT,
}
"""Which analysis type may create and resolve an alert type."""

THE_TENANT = "tenant"
"""External id of a tenant as what a finding is about: no stored entity stands behind it."""


def owned_by(kind: AnalysisType) -> frozenset[AlertType]:
    """The alert types of an analysis type."""
    return frozenset(alert_type for alert_type, owner in OWNER.items() if owner is kind)


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


class Skip(StrEnum):
    """Why a rule gave no verdict on a tenant."""

    INPUT = "input"
    """What it needs was not read, or not to its end."""
    LICENCE = "licence"
    """What it needs is given out with a premium licence only, which the tenant does not have."""
    DOUBT = "doubt"
    """Everything was read, and it does not tell: a single fact is missing, or there is nothing to compare with."""
    BRANCH = "branch"
    """The branch that analyzed the tenant does not know the rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleCoverage:
    """How far one rule got in one tenant. ``skipped`` is why it gave no verdict as a whole, a sentence and its kind.

    ``items`` counts what the rule looked at; of those ``untold`` could not be told and ``exempt`` have a problem that
    the tenant accepts. ``fingerprint`` says by which code, settings and inputs it was evaluated.
    """

    alert_type: AlertType
    items: int = 0
    findings: int = 0
    untold: int = 0
    exempt: int = 0
    skipped: str = ""
    skipped_because: Skip | None = None
    fingerprint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalysisResult:
    """What an analysis says. ``ran`` holds the analysis types it looked at, complete or not.

    A rule that could not be evaluated as a whole stands in ``not_evaluated`` without an entity. Only alert types in
    ``evaluated`` may be created and resolved from this result.
    """

    findings: tuple[Finding, ...] = ()
    not_evaluated: tuple[NotEvaluated, ...] = ()
    ran: frozenset[AnalysisType] = frozenset()
    exempt: frozenset[tuple[AlertType, str]] = frozenset()
    """(alert type, external id) of problems that the tenant accepts."""
    rules: tuple[RuleCoverage, ...] = ()
    """Empty where the branch keeps no account of its rules."""
    judged: Mapping[AlertType, frozenset[str]] = field(default_factory=dict)
    """For rules that looked at some users only: which, by external id. Whatever they did not look at stands."""
    mfa_coverage: tuple[MfaCoverage, ...] = ()
    privileged_ids: frozenset[str] | None = None
    """Identities that hold a privileged role; ``None`` when it was not looked at or cannot be told."""
    grants: frozenset[tuple[str, str]] | None = None
    """(identity id, role template id) of every privileged role held; ``None`` as above."""

    @property
    def evaluated(self) -> frozenset[AlertType]:
        """The alert types whose rule ran over complete input."""
        silent = {item.alert_type for item in self.not_evaluated if not item.external_id}
        return frozenset(kind for kind, owner in OWNER.items() if owner in self.ran and kind not in silent)

    @property
    def completed(self) -> frozenset[AnalysisType]:
        """The analysis types whose every rule ran over complete input."""
        told = self.evaluated
        return frozenset(kind for kind in self.ran if owned_by(kind) <= told)
