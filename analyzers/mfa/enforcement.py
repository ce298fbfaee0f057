"""Is MFA demanded of every user who can sign in? Raises ``mfa_not_enforced`` and ``mfa_partial_enforced``."""

from __future__ import annotations

from functools import partial

from analyzers.coverage import REFERRED_TO, UserCoverage
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity, Verdict
from pipeline.domain.rule_settings import ExemptionKind

INPUTS = (Resource.USERS, Resource.POLICIES, *ROLES)


def judge(case: Case, verdict: Verdict) -> Judgement:
    """A finding for every user whose coverage is this verdict."""
    findings: list[Finding] = []
    untold: list[Untold] = []
    incomplete = ""
    for key, user in case.users.items():
        covered = case.facts.coverage.of(user)
        if covered.verdict is verdict:
            findings.append(_finding(case, user, covered))
        elif covered.verdict is Verdict.UNKNOWN:
            untold.append(Untold(external_id=key, reason=covered.because))
            if covered.input_missing:
                incomplete = incomplete or covered.because
    return Judgement(items=len(case.users), findings=findings, untold=untold, incomplete=incomplete)


def _finding(case: Case, user: Identity, covered: UserCoverage) -> Finding:
    privileged = user.id in case.facts.privileged
    if covered.verdict is Verdict.NONE:
        message = f"{name_of(user)} can sign in without MFA: {covered.because}."
        severity = Severity.CRITICAL if privileged else Severity.HIGH
    else:
        message = f"{name_of(user)} can sign in without MFA in some situations: {covered.because}."
        severity = Severity.HIGH if privileged else Severity.MEDIUM
    return case.about_user(
        user,
        severity,
        message,
        reasons=covered.reasons,
        evidence={
            "policy_ids": list(covered.policy_ids),
            "excluded_by": list(covered.excluded_by),
            "privileged": privileged,
        },
    )


NOT_ENFORCED = Rule(
    alert_type=AlertType.MFA_NOT_ENFORCED,
    title="An enabled account is never asked for MFA.",
    severity="critical for holders of a privileged role, else high",
    inputs=INPUTS,
    optional_inputs=REFERRED_TO,
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    per_user=True,
    remediation=(
        "Include the user in an enabled conditional access policy that requires multifactor authentication for all "
        "resources or, where the tenant has no policies, turn on security defaults. An emergency account is named with "
        "`mspbyte rules exempt TENANT --break-glass UPN` instead."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-mfa-strength",
    since="0.1.0",
    judge=partial(judge, verdict=Verdict.NONE),
)

PARTIAL = Rule(
    alert_type=AlertType.MFA_PARTIAL_ENFORCED,
    title="An enabled account is asked for MFA in some situations only.",
    severity="high for holders of a privileged role, else medium",
    inputs=INPUTS,
    optional_inputs=REFERRED_TO,
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    per_user=True,
    remediation=(
        "Close the gap the alert names: drop the excluded location, app or platform, require MFA with AND instead of "
        "OR, and block legacy clients. Under security defaults, MFA at every sign-in takes policies of conditional "
        "access, which need Microsoft Entra ID P1."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions",
    since="0.1.0",
    judge=partial(judge, verdict=Verdict.PARTIAL),
)
