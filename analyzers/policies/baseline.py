"""Does the tenant have any protection at all? Raises ``no_security_baseline``."""

from __future__ import annotations

from analyzers.rule import Case, Judgement, Rule
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Severity


def judge(case: Case) -> Judgement:
    """A finding if security defaults are off and no policy that can concern a user is enabled."""
    if case.facts.any_policy_enabled:
        return Judgement(items=1)
    defaults = case.graph.security_defaults
    if defaults is None:
        return Judgement(items=1, incomplete="whether security defaults are on was not read")
    if defaults.enabled:
        return Judgement(items=1)
    finding = case.about_tenant(
        Severity.CRITICAL,
        "Security defaults are off and no conditional access policy is enabled, so a password alone is enough to "
        "sign in to any account.",
        reasons=("no_enabled_policy", "security_defaults_off"),
    )
    return Judgement(items=1, findings=[finding])


RULE = Rule(
    alert_type=AlertType.NO_SECURITY_BASELINE,
    title="Security defaults are off and no conditional access policy is enabled.",
    severity="critical",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.POLICIES, Resource.SECURITY_DEFAULTS),
    remediation=(
        "Turn on security defaults or, with a licence for Microsoft Entra ID P1, enable conditional access policies "
        "that require multifactor authentication and block legacy authentication."
    ),
    source="https://learn.microsoft.com/entra/fundamentals/security-defaults",
    judge=judge,
)
