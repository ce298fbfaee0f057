"""Which enabled accounts are not used any more? Raises ``stale_user``."""

from __future__ import annotations

from analyzers.activity import Activity, Use, activity, cutoff
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind


def judge(case: Case) -> Judgement:
    """A finding for every enabled account without a successful sign-in for the tenant's threshold of days."""
    since = cutoff(case.facts.now, case.threshold)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key, user in case.users.items():
        seen = activity(user, since, unreadable=None)
        if seen.use is Use.STALE:
            findings.append(_finding(case, user, seen))
        elif seen.use is Use.UNKNOWN:
            untold.append(Untold(external_id=key, reason=seen.why))
    return Judgement(items=len(case.users), findings=findings, untold=untold)


def _finding(case: Case, user: Identity, seen: Activity) -> Finding:
    privileged = user.id in case.facts.privileged
    return case.about_user(
        user,
        _severity(user, privileged=privileged),
        f"{name_of(user)} {seen.why}; the account is enabled and unused for more than {case.threshold} days.",
        reasons=("never_signed_in",) if seen.never else ("no_recent_sign_in",),
        evidence={"privileged": privileged, "sku_ids": sorted(user.sku_ids)},
    )


def _severity(user: Identity, *, privileged: bool) -> Severity:
    if privileged:
        return Severity.HIGH
    return Severity.MEDIUM if user.sku_ids else Severity.LOW


RULE = Rule(
    alert_type=AlertType.STALE_USER,
    title="An enabled account has had no successful sign-in for the threshold of days.",
    severity="high for holders of a privileged role, medium for holders of a licence, else low",
    inputs=(Resource.USERS, Resource.SIGN_IN_ACTIVITY, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS,),
    threshold=Threshold(default=90, least=7, most=730, unit="days", meaning="accounts unused for longer"),
    spares=frozenset({ExemptionKind.BREAK_GLASS, ExemptionKind.SHARED_MAILBOX}),
    remediation="Ask whether the account is still needed; disable it, then delete it after a month.",
    source="https://learn.microsoft.com/entra/identity/monitoring-health/howto-manage-inactive-user-accounts",
    since="0.1.0",
    judge=judge,
)
