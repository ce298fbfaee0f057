"""Can everybody who is asked for MFA do it? Raises ``user_not_mfa_capable``."""

from __future__ import annotations

from analyzers.coverage import REFERRED_TO
from analyzers.coverage.scope import is_external
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity, Verdict
from pipeline.domain.rule_settings import ExemptionKind

DEMANDED = frozenset({Verdict.FULL, Verdict.PARTIAL})


def judge(case: Case) -> Judgement:
    """A finding for every account that is asked for MFA, in some situations or in all, and cannot do it.

    A holder of a privileged role without any method is left to the more severe ``admin_mfa_not_registered``.
    """
    findings: list[Finding] = []
    untold: list[Untold] = []
    incomplete = ""
    for key, user in case.users.items():
        if user.mfa_capable or _left_to_administrators(case, user):
            continue
        covered = case.facts.coverage.of(user)
        if covered.verdict is Verdict.UNKNOWN:
            untold.append(Untold(external_id=key, reason=covered.because))
            if covered.input_missing:
                incomplete = incomplete or covered.because
        elif covered.verdict in DEMANDED:
            unclear = _unclear(user)
            if unclear:
                untold.append(Untold(external_id=key, reason=unclear))
            else:
                findings.append(_finding(case, user))
    return Judgement(items=len(case.users), findings=findings, untold=untold, incomplete=incomplete)


def _left_to_administrators(case: Case, user: Identity) -> bool:
    return user.mfa_registered is False and user.id in case.facts.privileged


def _unclear(user: Identity) -> str:
    """Why it cannot be told whether a user who is asked for MFA can do it; empty if they cannot.

    An external account may do MFA at home: whether the tenant trusts that is part of its cross-tenant access settings
    (https://learn.microsoft.com/entra/external-id/authentication-conditional-access), which are not read.
    """
    if user.mfa_capable is None:
        return "whether the account is capable of MFA was not read"
    if is_external(user):
        return "whether MFA in the account's home tenant is trusted is not read"
    return ""


def _finding(case: Case, user: Identity) -> Finding:
    registered = bool(user.mfa_registered)
    why = "its registered methods are not allowed by the tenant" if registered else "it has no method registered"
    return case.about_user(
        user,
        Severity.MEDIUM,
        f"{name_of(user)} is asked for MFA but the account is not capable of it: {why}.",
        reasons=("method_not_allowed",) if registered else ("not_registered",),
        evidence={"registered": registered, "privileged": user.id in case.facts.privileged},
    )


RULE = Rule(
    alert_type=AlertType.USER_NOT_MFA_CAPABLE,
    title="An enabled account is asked for MFA but has no method that it may use.",
    severity="medium",
    inputs=(Resource.USERS, Resource.POLICIES, Resource.REGISTRATION_DETAILS, *ROLES),
    optional_inputs=REFERRED_TO,
    spares=frozenset({ExemptionKind.SHARED_MAILBOX}),
    per_user=True,
    remediation=(
        "Have the user register a method that the tenant's authentication methods policy allows, with a Temporary "
        "Access Pass where there is none yet. It is urgent: an intruder with the password could register one first."
    ),
    source="https://learn.microsoft.com/graph/api/resources/userregistrationdetails",
    judge=judge,
)
