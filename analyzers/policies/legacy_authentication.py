"""Can anybody still sign in with a client that knows no MFA? Raises ``legacy_auth_not_blocked``."""

from __future__ import annotations

from analyzers.coverage import REFERRED_TO
from analyzers.coverage.barriers import Survey, barrier, survey
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, undecided
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind


def judge(case: Case) -> Judgement:
    """A finding if an enabled account can use a legacy client in some situation, exempt accounts left out.

    Every grant control blocks legacy clients, not only "block", and security defaults block them for everybody:
    https://learn.microsoft.com/entra/fundamentals/security-defaults
    """
    plan = case.facts.coverage.plan
    accounts = (user for key, user in case.users.items() if key not in case.exempt)
    seen = survey(accounts, barrier(plan, plan.grid.legacy, lambda _: True), case.facts.coverage)
    if not seen.passed and seen.untold is None:
        return Judgement(items=seen.items)
    unread = case.graph.unreadable(Resource.SECURITY_DEFAULTS)
    defaults = case.graph.security_defaults
    if unread is None and defaults is not None and defaults.enabled:
        return Judgement(items=seen.items)
    if unread is not None or defaults is None:
        return Judgement(items=seen.items, incomplete=unread or "whether security defaults are on was not read")
    if not seen.passed:
        return undecided(seen.items, seen.untold)
    return Judgement(items=seen.items, findings=[_finding(case, seen)])


def _finding(case: Case, seen: Survey) -> Finding:
    if seen.policy_ids:
        message = f"Legacy clients, which know no MFA, are not blocked {seen.whom}."
    else:
        message = (
            "Nothing blocks legacy clients, which know no MFA: security defaults are off and no enabled conditional "
            "access policy does for anybody."
        )
    return case.about_tenant(
        Severity.CRITICAL,
        message,
        reasons=seen.reasons,
        evidence=seen.evidence,
    )


RULE = Rule(
    alert_type=AlertType.LEGACY_AUTH_NOT_BLOCKED,
    title="Some enabled account can sign in with a legacy client.",
    severity="critical",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.USERS, Resource.POLICIES),
    optional_inputs=(*ROLES, *REFERRED_TO),
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    heeds_exemptions=True,
    remediation=(
        "Enable a conditional access policy that blocks the client apps Exchange ActiveSync and other clients for all "
        "users and all resources, leaving out the emergency accounts only; where the tenant has no policies, security "
        "defaults do."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication",
    judge=judge,
)
