"""The old analysis: four analyzers, one after the other, each with its own loading.

Known to be wrong: every analyzer reports its type as completed, whatever could not be read, and none ever says
"cannot tell".
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from legacy.analyzers import license as license_analyzer
from legacy.analyzers import mfa, policy, stale
from legacy.reads import LegacyReads
from pipeline.domain.findings import AnalysisResult, AnalysisType

ANALYZERS: tuple[tuple[AnalysisType, Callable[[LegacyReads, datetime], AnalysisResult]], ...] = (
    (AnalysisType.MFA, mfa.analyze),
    (AnalysisType.POLICY, policy.analyze),
    (AnalysisType.LICENSE, license_analyzer.analyze),
    (AnalysisType.STALE, stale.analyze),
)
"""In the old order: waste is looked for before this run's stale users are known."""


def analyze(reads: LegacyReads, types: Collection[AnalysisType], now: datetime) -> AnalysisResult:
    """The results of the asked-for ``types`` as one; ``license_overuse`` findings are among them.

    A type that has no old analyzer is left out of ``ran``.
    """
    results = [run(reads, now) for analysis_type, run in ANALYZERS if analysis_type in types]
    return AnalysisResult(
        findings=tuple(finding for result in results for finding in result.findings),
        ran=frozenset().union(*(result.ran for result in results)),
        mfa_coverage=tuple(coverage for result in results for coverage in result.mfa_coverage),
    )
