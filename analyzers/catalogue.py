"""The rules this product knows, as data: what the command line, the documentation and the console show."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.privileged import ASSIGNMENTS
from pipeline.domain.capture import Resource
from pipeline.domain.findings import AlertType, AnalysisType


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule. ``severity`` says in words when it is which.

    Without ``inputs`` it gives no verdict at all; ``optional_inputs`` are needed for some verdicts or in some
    tenants only (a policy names a location), and only those cannot be told without them. ``threshold_days`` is the
    default a tenant may override, ``None`` where nothing is measured. ``since`` is the version it came with.
    """

    id: str
    analysis_type: AnalysisType
    alert_type: AlertType
    title: str
    severity: str
    inputs: tuple[Resource, ...]
    optional_inputs: tuple[Resource, ...] = ()
    threshold_days: int | None = None
    remediation: str
    source: str
    since: str = "0.1.0"


_ROLES = (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS, *ASSIGNMENTS, Resource.GROUPS)
"""The assignments only where they were asked for."""
_POLICY_INPUTS = (Resource.USERS, Resource.POLICIES, *_ROLES)

RULES: tuple[Rule, ...] = (
    Rule(
        id="mfa_not_enforced",
        analysis_type=AnalysisType.MFA,
        alert_type=AlertType.MFA_NOT_ENFORCED,
        title="An enabled account is never asked for MFA.",
        severity="critical for holders of a privileged role, else high",
        inputs=_POLICY_INPUTS,
        optional_inputs=(
            Resource.GROUP_MEMBERS,
            Resource.NAMED_LOCATIONS,
            Resource.AUTHENTICATION_STRENGTHS,
            Resource.SECURITY_DEFAULTS,
        ),
        remediation=(
            "Include the user in an enabled conditional access policy that requires multifactor authentication for "
            "all resources, or turn on security defaults."
        ),
        source="https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-mfa-strength",
    ),
    Rule(
        id="mfa_partial_enforced",
        analysis_type=AnalysisType.MFA,
        alert_type=AlertType.MFA_PARTIAL_ENFORCED,
        title="An enabled account is asked for MFA in some situations only.",
        severity="high for holders of a privileged role, else medium",
        inputs=_POLICY_INPUTS,
        optional_inputs=(
            Resource.GROUP_MEMBERS,
            Resource.NAMED_LOCATIONS,
            Resource.AUTHENTICATION_STRENGTHS,
            Resource.SECURITY_DEFAULTS,
        ),
        remediation=(
            "Close the gap the alert names: drop the excluded location, app or platform, require MFA with AND instead "
            "of OR, and block legacy clients."
        ),
        source="https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions",
    ),
    Rule(
        id="policy_gap",
        analysis_type=AnalysisType.POLICY,
        alert_type=AlertType.POLICY_GAP,
        title="No enabled policy has an enabled account in scope, and security defaults are off.",
        severity="high for holders of a privileged role, else medium",
        inputs=_POLICY_INPUTS,
        optional_inputs=(Resource.GROUP_MEMBERS, Resource.SECURITY_DEFAULTS),
        remediation="Include the account in a conditional access policy, or turn on security defaults.",
        source="https://learn.microsoft.com/entra/identity/conditional-access/plan-conditional-access",
    ),
    Rule(
        id="license_waste",
        analysis_type=AnalysisType.LICENSE,
        alert_type=AlertType.LICENSE_WASTE,
        title="A licence is held by a disabled account, or by one that is not used.",
        severity="medium for a disabled account, low for a stale one",
        inputs=(Resource.USERS, Resource.SKUS),
        optional_inputs=(Resource.SIGN_IN_ACTIVITY,),
        threshold_days=90,
        remediation="Remove the licence from the account, or reduce the seats at renewal.",
        source="https://learn.microsoft.com/microsoft-365/admin/manage/remove-licenses-from-users",
    ),
    Rule(
        id="license_overuse",
        analysis_type=AnalysisType.LICENSE,
        alert_type=AlertType.LICENSE_OVERUSE,
        title="More users hold a SKU than it has seats.",
        severity="high",
        inputs=(Resource.SKUS,),
        remediation="Buy the missing seats, or remove the licence from users who do not need it.",
        source="https://learn.microsoft.com/graph/api/resources/subscribedsku",
    ),
    Rule(
        id="stale_user",
        analysis_type=AnalysisType.STALE,
        alert_type=AlertType.STALE_USER,
        title="An enabled account has had no successful sign-in for the threshold of days.",
        severity="high for holders of a privileged role, medium for holders of a licence, else low",
        inputs=(Resource.USERS, Resource.SIGN_IN_ACTIVITY, *_ROLES),
        optional_inputs=(Resource.GROUP_MEMBERS,),
        threshold_days=90,
        remediation="Ask whether the account is still needed; disable it, then delete it after a month.",
        source="https://learn.microsoft.com/entra/identity/monitoring-health/howto-manage-inactive-user-accounts",
    ),
    Rule(
        id="psa_company_unlinked",
        analysis_type=AnalysisType.PSA,
        alert_type=AlertType.PSA_COMPANY_UNLINKED,
        title="A company in the PSA has no tenant here, or a tenant has no company in the PSA.",
        severity="low",
        inputs=(Resource.CLIENTS, Resource.SITES),
        optional_inputs=(Resource.ORGANIZATION,),
        remediation=(
            "Add the missing tenant or enter the missing customer, or link the two by hand with `mspbyte psa link`."
        ),
        source="https://haloacademy.halopsa.com/apidoc/resources/clients",
    ),
    Rule(
        id="tenant_unreachable",
        analysis_type=AnalysisType.TENANT,
        alert_type=AlertType.TENANT_UNREACHABLE,
        title="The tenant cannot be read: its provider refuses us. Raised by the pipeline, not by an analyzer.",
        severity="critical",
        inputs=(),
        remediation="Do what the alert's own sentence says, then read the tenant again with `mspbyte sync NAME`.",
        source="https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",
    ),
)
"""Every rule, in the order of worth within its analysis type. ``tenant_unreachable`` needs no input."""


def rule(rule_id: str) -> Rule:
    """The rule of this id; ``KeyError`` if there is none."""
    return {known.id: known for known in RULES}[rule_id]
