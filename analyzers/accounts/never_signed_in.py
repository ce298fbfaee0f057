"""Which enabled accounts were created and never used? Raises ``never_signed_in``."""

from __future__ import annotations

from datetime import UTC, datetime

from analyzers.activity import cutoff
from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind

RECORDED_SINCE = datetime(2020, 4, 1, tzinfo=UTC)
"""Microsoft's record of sign-ins begins in this month, so nothing is known of use before.
https://learn.microsoft.com/entra/identity/monitoring-health/howto-manage-inactive-user-accounts"""


def judge(case: Case) -> Judgement:
    """A finding for every enabled account older than the threshold of days of which no sign-in was ever seen."""
    since = cutoff(case.facts.now, case.threshold)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key, user in case.users.items():
        if user.enabled is False or _seen(user) or (user.created_at is not None and user.created_at >= since):
            continue
        if user.enabled is None:
            untold.append(Untold(external_id=key, reason="whether the account is enabled was not read"))
        elif user.created_at is None:
            untold.append(Untold(external_id=key, reason="when the account was created was not read"))
        else:
            findings.append(_finding(case, user, user.created_at))
    return Judgement(items=len(case.users), findings=findings, untold=untold)


def _seen(user: Identity) -> bool:
    """Whether anybody ever signed in to the account, or tried to."""
    return (
        user.last_successful_sign_in_at is not None
        or user.last_sign_in_attempt_at is not None
        or user.last_non_interactive_attempt_at is not None
    )


def _finding(case: Case, user: Identity, created: datetime) -> Finding:
    return case.about_user(
        user,
        Severity.LOW,
        f"Nobody has {'ever ' if created >= RECORDED_SINCE else ''}signed in to the enabled account {name_of(user)}, "
        f"created on {created:%Y-%m-%d}{'' if created >= RECORDED_SINCE else ', since April 2020'}.",
        reasons=("never_signed_in",),
        evidence={"sku_ids": sorted(user.sku_ids)},
    )


RULE = Rule(
    alert_type=AlertType.NEVER_SIGNED_IN,
    title="Nobody has signed in to an enabled account that is older than the threshold of days.",
    severity="low",
    inputs=(Resource.USERS, Resource.SIGN_IN_ACTIVITY),
    threshold=Threshold(default=30, least=1, most=365, unit="days", meaning="accounts never used and older"),
    spares=frozenset({ExemptionKind.BREAK_GLASS, ExemptionKind.SHARED_MAILBOX}),
    remediation=(
        "Ask whether the account is needed, since its first password may still be known to others; disable or delete "
        "it if not."
    ),
    source="https://learn.microsoft.com/entra/identity/monitoring-health/howto-manage-inactive-user-accounts",
    judge=judge,
)
