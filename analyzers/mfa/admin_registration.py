"""Can every holder of a privileged role do MFA at all? Raises ``admin_mfa_not_registered``."""

from __future__ import annotations

from analyzers.administrators import judge_administrators, roles_held
from analyzers.coverage.scope import is_external
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding for every enabled holder without a strong method, whatever policies demand of them.

    Emergency accounts are not spared: Microsoft demands MFA of whoever opens an admin portal, and leaves nobody out
    (https://learn.microsoft.com/entra/identity/authentication/concept-mandatory-multifactor-authentication).
    """
    return judge_administrators(case, fine=lambda user: bool(user.mfa_registered), unread=_unread, finding=_finding)


def _unread(user: Identity) -> str:
    """An external account may do MFA at home, of which the tenant it is a guest in knows no method."""
    if user.mfa_registered is None:
        return "whether a strong method is registered was not read"
    return "whether the account can do MFA in its home tenant is not read" if is_external(user) else ""


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
