"""Analyze: the findings of the tenant as it now stands, kept as a set difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline import events
from pipeline.domain.capture import SyncType
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding
from pipeline.domain.runs import ClaimedStep, DataSource, Lane, Run
from pipeline.events import JsonValue
from pipeline.stages.execution import Applied, Apply, space_of
from pipeline.storage.database import Database
from pipeline.storage.findings import replace_findings

AFFECTED: Mapping[SyncType, frozenset[AnalysisType]] = {
    SyncType.IDENTITIES: frozenset({AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.LICENSE, AnalysisType.STALE}),
    SyncType.POLICIES: frozenset({AnalysisType.MFA, AnalysisType.POLICY}),
    SyncType.GROUPS: frozenset({AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.STALE}),
    SyncType.ROLES: frozenset({AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.STALE}),
    SyncType.LICENSES: frozenset({AnalysisType.LICENSE}),
    SyncType.APPLICATIONS: frozenset(),
    SyncType.ORGANIZATION: frozenset(),
    SyncType.COMPANIES: frozenset({AnalysisType.PSA}),
    SyncType.CONTRACTS: frozenset(),
}
"""What a sync can have changed; the other analysis types do not run and their alerts are not touched."""

Analyzer = Callable[[Connection, DataSource, frozenset[AnalysisType], datetime], AnalysisResult]
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


def analyze_tenant(
    step: ClaimedStep, now: datetime, *, database: Database, analyzers: Mapping[str, AnalyzerPart]
) -> Apply:
    """Runs the analyzer the route chose over everything this sync can have changed."""
    part = analyzers[step.run.parts[step.ref.lane].analyzer]
    types = frozenset(kind for sync_type in step.run.sync_types for kind in AFFECTED[sync_type])
    with database.begin(space_of(step.ref)) as connection:
        result = part.analyze(connection, step.run.source, types, now)

    def apply(connection: Connection) -> Applied:
        kept = result.findings
        if part.direct is not None:
            kept = tuple(finding for finding in result.findings if finding.alert_type not in DIRECT)
            overuse = [finding for finding in result.findings if finding.alert_type in DIRECT]
            part.direct(connection, step.run, overuse, now)
        replace_findings(connection, step.run, result, kept, now)
        told = events.analyzed({**step.run.names(), **_summary(step.run, result, types)})
        return Applied(detail=_detail(result), events=[told], delay=_delay(step, part))

    return apply


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


def _detail(result: AnalysisResult) -> dict[str, JsonValue]:
    """What the alert stage needs of the analysis besides its findings, and what a person wants to see."""
    unknown: defaultdict[str, set[str]] = defaultdict(set)
    reasons: dict[tuple[str, str], int] = {}
    for item in result.not_evaluated:
        if item.external_id:
            unknown[item.alert_type.value].add(item.external_id)
        reasons[item.alert_type.value, item.reason] = reasons.get((item.alert_type.value, item.reason), 0) + 1
    return {
        "completed": [kind.value for kind in AnalysisType if kind in result.completed],
        "unknown": {kind: [*sorted(ids)] for kind, ids in unknown.items()},
        "privileged": None if result.privileged_ids is None else [*sorted(result.privileged_ids)],
        "findings": len(result.findings),
        "not_evaluated": [
            {"rule": rule, "reason": reason, "items": count} for (rule, reason), count in reasons.items()
        ],
    }
