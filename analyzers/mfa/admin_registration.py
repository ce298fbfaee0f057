"""Can every holder of a privileged role do MFA at all? Raises ``admin_mfa_not_registered``."""

from __future__ import annotations

from analyzers.administrators import ENABLED_UNREAD, administrators, roles_held
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding for every enabled holder without a strong method, whatever policies demand of them.

    Emergency accounts are not spared: Microsoft demands MFA of whoever opens an admin portal, and leaves nobody out
    (https://learn.microsoft.com/entra/identity/authentication/concept-mandatory-multifactor-authentication).
    """
    holders = administrators(case)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for user in holders:
        if user.enabled is False or user.mfa_registered:
            continue
        unread = _unread(user)
        if unread:
            untold.append(Untold(external_id=user.id, reason=unread))
        else:
            findings.append(_finding(case, user))
    return Judgement(items=len(holders), findings=findings, untold=untold)


def _unread(user: Identity) -> str:
    if user.enabled is None:
        return ENABLED_UNREAD
    return "whether a strong method is registered was not read" if user.mfa_registered is None else ""


def _finding(case: Case, user: Identity) -> Finding:
    roles = roles_held(case, user)
    return case.about_user(
        user,
        Severity.CRITICAL,
        f"{name_of(user)} holds {listed(roles)} but has no strong authentication method registered.",
        reasons=("not_registered",),
        evidence={"roles": roles},
    )


RULE = Rule(
    alert_type=AlertType.ADMIN_MFA_NOT_REGISTERED,
    title="An enabled holder of a privileged role has no strong authentication method registered.",
    severity="critical",
    inputs=(Resource.USERS, Resource.REGISTRATION_DETAILS, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS,),
    per_user=True,
    remediation=(
        "Have the administrator register a passkey, a security key or Microsoft Authenticator, an emergency account a "
        "security key; take the role from an account that nobody uses."
    ),
    source="https://learn.microsoft.com/entra/identity/authentication/concept-mandatory-multifactor-authentication",
    judge=judge,
)
