"""Every rule over one graph, in one pass, with what they share found out once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from analyzers.catalogue import RULES, rule_of
from analyzers.exemptions import Exempt
from analyzers.facts import Facts
from analyzers.premium import NEEDS_PREMIUM, has_premium
from analyzers.privileged import ASSIGNMENTS
from analyzers.rule import Case, Judgement, Rule
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import (
    AlertType,
    AnalysisResult,
    AnalysisType,
    Finding,
    MfaCoverage,
    NotEvaluated,
    RuleCoverage,
    Skip,
)
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import FIRST_TIME, RuleState


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """The rules that are known to be unchanged for all but some users, and these users, by external id."""

    alert_types: frozenset[AlertType]
    users: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleResult:
    """What one rule came to: its coverage, findings that count, and verdicts that could not be told."""

    coverage: RuleCoverage
    findings: tuple[Finding, ...] = ()
    untold: tuple[NotEvaluated, ...] = ()
    exempt: frozenset[tuple[AlertType, str]] = frozenset()


JUDGED = frozenset(rule.analysis_type for rule in RULES if rule.judge is not None)
"""The analysis types that are told from a tenant graph."""


def analyze(
    graph: TenantGraph,
    types: frozenset[AnalysisType],
    now: datetime,
    *,
    state: RuleState = FIRST_TIME,
    again: Again | None = None,
    explain_everybody: bool = False,
) -> AnalysisResult:
    """What the rules of these types say together.

    Findings and what was not evaluated come in the order of alert type, entity and subject, so that equal input gives
    an equal result. Types that are not told from a graph (``tenant``, ``psa``) are left alone. Who is privileged is
    always looked at; the MFA coverage of every user, problem or not, is there where ``explain_everybody`` asks for it.
    With ``again``, its rules look at its users only; together with what was found of all others before, that is what
    looking at everybody would give.
    """
    facts = Facts(graph=graph, now=now)
    exempt = Exempt(exemptions=state.settings.exemptions, graph=graph)
    everybody = {key: graph.identities[key] for key in sorted(graph.identities)}
    few = {key: user for key, user in everybody.items() if key in again.users} if again else everybody
    results = [
        _apply(rule, facts, few if _judges_again(rule, again) else everybody, state, exempt.of(rule))
        for rule in RULES
        if rule.judge is not None and rule.analysis_type in types
    ]
    return AnalysisResult(
        findings=tuple(sorted((one for result in results for one in result.findings), key=_finding_order)),
        not_evaluated=tuple(sorted((one for result in results for one in result.untold), key=_untold_order)),
        ran=types & JUDGED,
        exempt=frozenset().union(*(result.exempt for result in results)),
        rules=tuple(result.coverage for result in results),
        judged=_judged(results, again),
        mfa_coverage=_mfa_coverage(facts, everybody.values()) if explain_everybody else (),
        privileged_ids=facts.holders.ids,
        grants=facts.holders.grants,
    )


def missing_input(rule: Rule, facts: Facts) -> str | None:
    """Why the rule cannot be evaluated at all in this tenant, as a sentence; ``None`` if it can.

    Role assignments matter where they were asked for, and members of groups to roles where a group can hold one.
    """
    graph = facts.graph
    reason = graph.unreadable(*(one for one in rule.inputs if one not in ASSIGNMENTS or one in graph.inputs))
    if reason is None and Resource.ROLE_MEMBERS in rule.inputs:
        return facts.holders.reason or None
    return reason


def _judges_again(rule: Rule, again: Again | None) -> bool:
    return again is not None and rule.per_user and rule.alert_type in again.alert_types


def _judged(results: Iterable[RuleResult], again: Again | None) -> Mapping[AlertType, frozenset[str]]:
    if again is None:
        return {}
    ran = (rule_of(result.coverage.alert_type) for result in results)
    return {rule.alert_type: again.users for rule in ran if _judges_again(rule, again)}


def _apply(
    rule: Rule, facts: Facts, users: Mapping[str, Identity], state: RuleState, exempt: frozenset[str]
) -> RuleResult:
    reason = missing_input(rule, facts)
    if reason is not None or rule.judge is None:
        return _skipped(rule, reason or "", facts.graph)
    default = rule.threshold.default if rule.threshold else 0
    case = Case(
        rule=rule,
        facts=facts,
        users=users,
        threshold=state.settings.thresholds.get(rule.alert_type, default),
        break_glass=state.settings.break_glass(),
        exempt=exempt,
        grants_known=state.grants,
    )
    return _told(rule, rule.judge(case), exempt)


def _skipped(rule: Rule, reason: str, graph: TenantGraph) -> RuleResult:
    why = Skip.LICENCE if _wants_a_licence(rule, graph) else Skip.INPUT
    return RuleResult(
        coverage=RuleCoverage(alert_type=rule.alert_type, skipped=reason, skipped_because=why),
        untold=(NotEvaluated(alert_type=rule.alert_type, reason=reason),),
    )


def _wants_a_licence(rule: Rule, graph: TenantGraph) -> bool:
    """Whether all that is missing is what Microsoft gives to tenants with a premium licence, and this one has none."""
    missing = {one for one in rule.inputs if graph.unreadable(one) is not None and one not in ASSIGNMENTS}
    return bool(missing) and missing <= NEEDS_PREMIUM and has_premium(graph) is False


def _told(rule: Rule, judgement: Judgement, exempt: frozenset[str]) -> RuleResult:
    """The judgement without what the tenant accepts."""
    kind = rule.alert_type
    kept = judgement.findings
    accepted: frozenset[tuple[AlertType, str]] = frozenset()
    if exempt:
        kept = [one for one in judgement.findings if one.external_id not in exempt]
        accepted = frozenset((kind, one.external_id) for one in judgement.findings if one.external_id in exempt)
    untold = [one for one in judgement.untold if one.external_id not in exempt]
    whole = (NotEvaluated(alert_type=kind, reason=judgement.incomplete),) if judgement.incomplete else ()
    return RuleResult(
        coverage=RuleCoverage(
            alert_type=kind,
            items=judgement.items,
            findings=len(kept),
            untold=len(untold),
            exempt=len(judgement.findings) - len(kept),
            skipped=judgement.incomplete,
            skipped_because=_why_incomplete(judgement),
        ),
        findings=tuple(kept),
        untold=(
            *whole,
            *(
                NotEvaluated(alert_type=kind, reason=one.reason, external_id=one.external_id, subject=one.subject)
                for one in untold
            ),
        ),
        exempt=accepted,
    )


def _why_incomplete(judgement: Judgement) -> Skip | None:
    if not judgement.incomplete:
        return None
    return Skip.DOUBT if judgement.doubt else Skip.INPUT


def _mfa_coverage(facts: Facts, users: Iterable[Identity]) -> tuple[MfaCoverage, ...]:
    told = ((user.id, facts.coverage.of(user)) for user in users)
    return tuple(
        MfaCoverage(user_id=key, verdict=one.verdict, reasons=one.reasons, policy_ids=one.policy_ids)
        for key, one in told
    )


def _finding_order(finding: Finding) -> tuple[str, str, str]:
    return finding.alert_type, finding.external_id, finding.subject


def _untold_order(untold: NotEvaluated) -> tuple[str, str, str, str]:
    return untold.alert_type, untold.external_id, untold.subject, untold.reason
