"""Which enabled accounts does no policy look after at all? Raises ``policy_gap``."""

from __future__ import annotations

from analyzers.coverage import Doubt
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind


def judge(case: Case) -> Judgement:
    """A finding for every enabled account in the scope of no enabled policy while security defaults are off.

    Any enabled policy counts, whatever it demands; a policy for workload identities never concerns a user.
    """
    gaps: list[Identity] = []
    doubts: dict[str, Doubt] = {}
    for key, user in case.users.items():
        covered = case.facts.coverage.of(user)
        if covered.governed is False and user.enabled:
            gaps.append(user)
        elif covered.governed_doubt is not None:
            doubts[key] = covered.governed_doubt
    if gaps or doubts:
        return _conclude(case, gaps, doubts)
    return Judgement(items=len(case.users))


def _conclude(case: Case, gaps: list[Identity], doubts: dict[str, Doubt]) -> Judgement:
    """Security defaults look after everybody, so they are asked about only where policies leave someone out."""
    items = len(case.users)
    unread = case.graph.unreadable(Resource.SECURITY_DEFAULTS)
    if unread is not None:
        return Judgement(items=items, incomplete=unread)
    if case.graph.security_defaults is not None and case.graph.security_defaults.enabled:
        return Judgement(items=items)
    return Judgement(
        items=items,
        findings=[_finding(case, user) for user in gaps],
        untold=[Untold(external_id=key, reason=doubt.reason) for key, doubt in doubts.items()],
        incomplete=next((doubt.reason for doubt in doubts.values() if doubt.input_missing), ""),
    )


def _finding(case: Case, user: Identity) -> Finding:
    privileged = user.id in case.facts.privileged
    return case.about_user(
        user,
        Severity.HIGH if privileged else Severity.MEDIUM,
        f"No conditional access policy applies to {name_of(user)}: no enabled policy has the account in scope "
        "and security defaults are off.",
        reasons=("users",),
        evidence={"privileged": privileged},
    )


RULE = Rule(
    alert_type=AlertType.POLICY_GAP,
    title="No enabled policy has an enabled account in scope, and security defaults are off.",
    severity="high for holders of a privileged role, else medium",
    inputs=(Resource.USERS, Resource.POLICIES, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS, Resource.SECURITY_DEFAULTS),
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    per_user=True,
    remediation=(
        "Include the account in a conditional access policy or, where the tenant has none, turn on security defaults. "
        "An emergency account is named with `mspbyte rules exempt TENANT --break-glass UPN` instead."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/plan-conditional-access",
    since="0.1.0",
    judge=judge,
)
