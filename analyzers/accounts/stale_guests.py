"""Which guests do not come any more? Raises ``guest_stale``."""

from __future__ import annotations

from analyzers.activity import Activity, Use, activity, cutoff
from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity

GUEST = "Guest"


def judge(case: Case) -> Judgement:
    """A finding for every enabled guest without a successful sign-in for the tenant's threshold of days."""
    since = cutoff(case.facts.now, case.threshold)
    findings: list[Finding] = []
    untold: list[Untold] = []
    candidates = [user for user in case.users.values() if user.user_type in {GUEST, None}]
    for user in candidates:
        seen = activity(user, since, unreadable=None)
        unclear = _unclear(user, seen)
        if unclear:
            untold.append(Untold(external_id=user.id, reason=unclear))
        elif seen.use is Use.STALE:
            findings.append(_finding(case, user, seen))
    return Judgement(items=len(candidates), findings=findings, untold=untold)


def _unclear(user: Identity, seen: Activity) -> str:
    """An account that is in use or disabled is fine, be it a guest's or not."""
    if seen.use is Use.UNKNOWN:
        return seen.why
    return "whether the account is a guest's was not read" if seen.use is Use.STALE and user.user_type is None else ""


def _finding(case: Case, user: Identity, seen: Activity) -> Finding:
    return case.about_user(
        user,
        Severity.LOW,
        f"The guest {name_of(user)} {seen.why}; the account is enabled and unused for more than {case.threshold} days.",
        reasons=("never_signed_in",) if seen.never else ("no_recent_sign_in",),
        evidence={"sku_ids": sorted(user.sku_ids)},
    )


RULE = Rule(
    alert_type=AlertType.GUEST_STALE,
    title="An enabled guest has had no successful sign-in for the threshold of days.",
    severity="low",
    inputs=(Resource.USERS, Resource.SIGN_IN_ACTIVITY),
    threshold=Threshold(default=90, least=7, most=730, unit="days", meaning="guests unused for longer"),
    remediation=(
        "Ask whoever invited the guest whether access is still needed; if not, disable the account, then delete it "
        "after a month."
    ),
    source="https://learn.microsoft.com/entra/identity/users/clean-up-stale-guest-accounts",
    judge=judge,
)
