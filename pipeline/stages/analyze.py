"""Analyze: the findings of the tenant as it now stands, kept as a set difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from analyzers import catalogue
from pipeline import events
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, RuleCoverage, Skip
from pipeline.domain.ids import entity_key
from pipeline.domain.rule_settings import RuleState
from pipeline.domain.runs import ClaimedStep, DataSource, Lane, Run
from pipeline.events import JsonValue
from pipeline.stages.execution import Applied, Apply, space_of
from pipeline.stages.touched import Touched, taken_over
from pipeline.storage.database import Database
from pipeline.storage.findings import Kept, replace_findings


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What an analyzer is asked: which types of which source at what time, knowing what.

    ``touched`` holds the keys of the users and groups of which something changed, and is ``None`` where everybody
    has to be looked at.
    """

    source: DataSource
    types: frozenset[AnalysisType]
    now: datetime
    state: RuleState
    touched: Touched


Analyzer = Callable[[Connection, Order], AnalysisResult]
"""Reads what it needs over the connection and analyzes the types."""

DirectWriter = Callable[[Connection, Run, Sequence[Finding], datetime], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalyzerPart:
    """An analyzer, and what the former system does around it."""

    analyze: Analyzer
    direct: DirectWriter | None = None
    """Takes the licence overuse past the alert handling."""
    delay: timedelta = timedelta()
    """How long the alert stage is held back afterwards."""


DIRECT = frozenset({AlertType.LICENSE_OVERUSE})
RECONCILED = "reconcile"
"""The alert handling that makes alerts equal to findings."""
NOT_KNOWN = "the branch that analyzed the tenant does not know this rule"


def analyze_tenant(
    step: ClaimedStep, now: datetime, *, database: Database, analyzers: Mapping[str, AnalyzerPart]
) -> Apply:
    """Runs the analyzer the route chose over everything this sync can have changed."""
    part = analyzers[step.run.parts[step.ref.lane].analyzer]
    reconciled = step.run.parts[step.ref.lane].alerts == RECONCILED
    order = Order(
        source=step.run.source,
        types=catalogue.fed_by(step.run.sync_types),
        now=now,
        state=step.rules,
        # A candidate has to come to its own conclusions about everybody.
        touched=taken_over(step.handed) if reconciled and step.ref.lane is not Lane.CANDIDATE else None,
    )
    with database.begin(space_of(step.ref)) as connection:
        result = part.analyze(connection, order)
    judged = _keys(step.run, result, order.touched)

    def apply(connection: Connection) -> Applied:
        kept = result.findings
        if part.direct is not None:
            kept = tuple(finding for finding in result.findings if finding.alert_type not in DIRECT)
            overuse = [finding for finding in result.findings if finding.alert_type in DIRECT]
            part.direct(connection, step.run, overuse, now)
        written = Kept(
            result=result,
            findings=kept,
            coverage=_coverage(order.types, result, reconciled=reconciled),
            judged=judged,
            grants_known=order.state.grants is not None,
        )
        replace_findings(connection, step.run, written, now)
        told = events.analyzed({**step.run.names(), **_summary(step.run, result, order.types)})
        return Applied(detail=_detail(result, judged), events=[told], delay=_delay(step, part))

    return apply


def _keys(run: Run, result: AnalysisResult, touched: Touched) -> list[str]:
    """Of which entities the verdicts of this analysis count, for its rules that did not look at everybody.

    Touched entities that are gone are among them: what was found of them is gone too.
    """
    users = frozenset().union(*result.judged.values())
    if not result.judged:
        return []
    own = {entity_key(run.scope.source_id, EntityType.IDENTITIES, external_id) for external_id in users}
    return sorted(own | (touched or frozenset()))


def _coverage(types: frozenset[AnalysisType], result: AnalysisResult, *, reconciled: bool) -> list[RuleCoverage]:
    """How far each rule of the types got. A branch that keeps no account evaluated its own and knows no others.

    The former alert handling may leave an alert without its finding, so the next analysis has to look at everybody.
    """
    if result.rules:
        return list(result.rules) if reconciled else [replace(one, fingerprint="") for one in result.rules]
    evaluated = result.evaluated
    return [_of_silent_branch(rule.alert_type, evaluated) for rule in catalogue.RULES if rule.analysis_type in types]


def _of_silent_branch(kind: AlertType, evaluated: Iterable[AlertType]) -> RuleCoverage:
    if kind in evaluated:
        return RuleCoverage(alert_type=kind)
    return RuleCoverage(alert_type=kind, skipped=NOT_KNOWN, skipped_because=Skip.BRANCH)


def _delay(step: ClaimedStep, part: AnalyzerPart) -> timedelta | None:
    """A candidate has nobody's alerts to gather for, so it is not held back."""
    return None if step.ref.lane is Lane.CANDIDATE else part.delay or None


def _summary(run: Run, result: AnalysisResult, types: frozenset[AnalysisType]) -> dict[str, JsonValue]:
    counts: defaultdict[str, int] = defaultdict(int)
    for finding in result.findings:
        counts[finding.alert_type.value] += 1
    return {
        "analysisTypes": [kind.value for kind in AnalysisType if kind in types],
        "completed": [kind.value for kind in AnalysisType if kind in result.completed],
        "findings": dict(counts),
        "entities": dict(run.entity_counts),
    }


def _detail(result: AnalysisResult, judged: Sequence[str]) -> dict[str, JsonValue]:
    """What the alert stage needs of the analysis besides its findings, and what a person wants to see."""
    unknown: defaultdict[str, set[str]] = defaultdict(set)
    exempt: defaultdict[str, set[str]] = defaultdict(set)
    reasons: dict[tuple[str, str], int] = {}
    for item in result.not_evaluated:
        if item.external_id:
            unknown[item.alert_type.value].add(item.external_id)
        reasons[item.alert_type.value, item.reason] = reasons.get((item.alert_type.value, item.reason), 0) + 1
    for kind, external_id in result.exempt:
        exempt[kind.value].add(external_id)
    return {
        "completed": [kind.value for kind in AnalysisType if kind in result.completed],
        "evaluated": [*sorted(kind.value for kind in result.evaluated)],
        "unknown": {kind: [*sorted(ids)] for kind, ids in unknown.items()},
        "exempt": {kind: [*sorted(ids)] for kind, ids in exempt.items()},
        "judged": [*judged],
        "judged_types": [*sorted(kind.value for kind in result.judged)],
        "privileged": None if result.privileged_ids is None else [*sorted(result.privileged_ids)],
        "findings": len(result.findings),
        "not_evaluated": [
            {"rule": rule, "reason": reason, "items": count} for (rule, reason), count in reasons.items()
        ],
    }
