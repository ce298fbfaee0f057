"""What would change if a rule were set otherwise: its findings before and after, compared. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from analyzers import unified
from analyzers.rule import Rule
from pipeline.domain.findings import AlertType, AnalysisResult, Finding, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import RuleState

Key = tuple[str, str]
"""External id and subject: what tells the alerts of one rule in one tenant apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An alert as it stands: what it is about and how bad it is."""

    external_id: str
    subject: str
    severity: Severity
    message: str

    @property
    def key(self) -> Key:
        return self.external_id, self.subject


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What the change does to one tenant. ``kept`` alerts stay as they are; ``changed`` get another severity.

    ``untold`` is why the rule cannot be told from this capture at all; nothing is gained or lost then.
    """

    gained: tuple[Standing, ...] = ()
    lost: tuple[Standing, ...] = ()
    changed: tuple[Standing, ...] = ()
    kept: int = 0
    untold: str = ""


def replay(
    rule: Rule,
    graph: TenantGraph,
    now: datetime,
    *,
    state: RuleState,
    threshold: int | None,
    standing: Iterable[Standing] = (),
    suppressed: Collection[Key] = frozenset(),
) -> Replay:
    """The rule over one graph under the tenant's settings, with another threshold where one is given.

    With a threshold it is compared with the same rule as it is set now, on the same graph, so that nothing else can
    make a difference; without one with the alerts that ``standing`` holds, which shows what changed code would do.
    Alerts that are ``suppressed`` neither come nor go, so they are left out.
    """
    after = _findings(rule, graph, now, state if threshold is None else _with(state, rule.alert_type, threshold))
    silent = next((item.reason for item in after.not_evaluated if not item.external_id), "")
    if silent:
        return Replay(untold=silent)
    before = standing if threshold is None else map(_standing, _findings(rule, graph, now, state).findings)
    unknown = {item.external_id for item in after.not_evaluated}
    old = {one.key: one for one in before if one.external_id not in unknown and one.key not in suppressed}
    new = {one.key: one for one in map(_standing, after.findings) if one.key not in suppressed}
    return _compared(old, new)


def _with(state: RuleState, alert_type: AlertType, threshold: int) -> RuleState:
    thresholds = {**state.settings.thresholds, alert_type: threshold}
    return replace(state, settings=replace(state.settings, thresholds=thresholds))


def _findings(rule: Rule, graph: TenantGraph, now: datetime, state: RuleState) -> AnalysisResult:
    result = unified.analyze(graph, frozenset({rule.analysis_type}), now, state=state)
    return replace(
        result,
        findings=tuple(one for one in result.findings if one.alert_type is rule.alert_type),
        not_evaluated=tuple(one for one in result.not_evaluated if one.alert_type is rule.alert_type),
    )


def _standing(finding: Finding) -> Standing:
    return Standing(
        external_id=finding.external_id,
        subject=finding.subject,
        severity=finding.severity,
        message=finding.message,
    )


def _compared(old: Mapping[Key, Standing], new: Mapping[Key, Standing]) -> Replay:
    both = old.keys() & new.keys()
    changed = sorted(key for key in both if old[key].severity is not new[key].severity)
    return Replay(
        gained=tuple(new[key] for key in sorted(new.keys() - old.keys())),
        lost=tuple(old[key] for key in sorted(old.keys() - new.keys())),
        changed=tuple(new[key] for key in changed),
        kept=len(both) - len(changed),
    )
