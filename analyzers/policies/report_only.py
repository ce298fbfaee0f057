"""Which policies were tried out and never switched on? Raises ``ca_report_only_stale``."""

from __future__ import annotations

from datetime import datetime, timedelta

from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import ConditionalAccessPolicy, PolicyState
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding for every report-only policy that was not changed for the tenant's threshold of days."""
    since = case.facts.now - timedelta(days=case.threshold)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key in sorted(case.graph.policies):
        policy = case.graph.policies[key]
        if policy.state != PolicyState.REPORT_ONLY:
            continue
        changed_at = policy.modified_at or policy.created_at
        if changed_at is None:
            untold.append(Untold(external_id=key, reason="when the policy was created or changed was not read"))
        elif changed_at < since:
            findings.append(_finding(case, policy, changed_at))
    return Judgement(items=len(case.graph.policies), findings=findings, untold=untold)


def _finding(case: Case, policy: ConditionalAccessPolicy, changed_at: datetime) -> Finding:
    done = "created" if policy.modified_at is None else "last changed"
    return case.about(
        EntityType.POLICIES,
        policy.id,
        Severity.LOW,
        f'The policy "{policy.display_name or policy.id}" has been in report-only mode for more than '
        f"{case.threshold} days, so it protects nobody: it was {done} on {changed_at:%Y-%m-%d}.",
        reasons=("report_only",),
        evidence={"unchanged_since": f"{changed_at:%Y-%m-%d}"},
    )


RULE = Rule(
    alert_type=AlertType.CA_REPORT_ONLY_STALE,
    title="A conditional access policy has been left in report-only mode.",
    severity="low",
    about=frozenset({EntityType.POLICIES}),
    inputs=(Resource.POLICIES,),
    threshold=Threshold(
        default=14, least=1, most=365, unit="days", meaning="policies left unchanged in report-only mode for longer"
    ),
    remediation="Look at what the policy would have done in the sign-in logs, then enable or delete it.",
    source="https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-report-only",
    judge=judge,
)
