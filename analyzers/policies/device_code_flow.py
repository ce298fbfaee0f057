"""Can anybody sign in through the device code flow? Raises ``device_code_flow_not_blocked``."""

from __future__ import annotations

from analyzers.coverage.barriers import Survey, barrier, survey
from analyzers.coverage.demands import Demand
from analyzers.coverage.matching import DEVICE_CODE
from analyzers.coverage.plan import plan
from analyzers.premium import has_premium
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, undecided
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind


def judge(case: Case) -> Judgement:
    """A finding if the flow is open to an enabled account in some situation, exempt accounts left out.

    Only a block stops it. Whoever phishes with a device code has the user do MFA, and security defaults ask for MFA.
    A tenant without a premium licence, and so without policies, cannot have the one that would: nothing is told of it.
    """
    if has_premium(case.graph) is False and not case.facts.coverage.plan.enabled:
        return Judgement(items=0)
    during = plan(case.graph, DEVICE_CODE)
    where = during.grid.everything & ~during.grid.legacy
    accounts = (user for key, user in case.users.items() if key not in case.exempt)
    seen = survey(accounts, barrier(during, where, lambda one: one.demand is Demand.BLOCK), case.facts.coverage)
    if seen.passed:
        return Judgement(items=seen.items, findings=[_finding(case, seen)])
    return undecided(seen.items, seen.untold)


def _finding(case: Case, seen: Survey) -> Finding:
    if seen.policy_ids:
        message = f"The device code flow, which phishing uses to get around MFA, is not blocked {seen.whom}."
    else:
        message = (
            "No enabled conditional access policy blocks the device code flow for anybody; phishing uses it to get "
            "around MFA."
        )
    return case.about_tenant(
        Severity.HIGH,
        message,
        reasons=seen.reasons,
        evidence=seen.evidence,
    )


RULE = Rule(
    alert_type=AlertType.DEVICE_CODE_FLOW_NOT_BLOCKED,
    title="Some enabled account can sign in through the device code flow.",
    severity="high",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.USERS, Resource.POLICIES),
    optional_inputs=(*ROLES, Resource.GROUP_MEMBERS, Resource.NAMED_LOCATIONS, Resource.SKUS),
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    heeds_exemptions=True,
    remediation=(
        "Find out in the sign-in logs who needs the device code flow, then enable a conditional access policy that "
        "blocks it for everybody else."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/policy-block-authentication-flows",
    judge=judge,
)
