"""The analysis of a PSA beside whatever analyzes a tenant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from analyzers import psa
from pipeline.domain.findings import AnalysisResult, AnalysisType
from pipeline.domain.runs import DataSource
from pipeline.stages.analyze import Analyzer
from pipeline.storage.psa import load_psa_graph

OF_PSA = frozenset({AnalysisType.PSA})


def with_psa(rest: Analyzer) -> Analyzer:
    """An analyzer that leaves everything but the PSA to ``rest``.

    The former system knew no PSA, so there is nothing to be faithful to: every branch judges it by the same rules, and
    a comparison finds them equal.
    """

    def analyze(
        connection: Connection, source: DataSource, types: frozenset[AnalysisType], moment: datetime
    ) -> AnalysisResult:
        if not types & OF_PSA:
            return rest(connection, source, types, moment) if types else AnalysisResult()
        return psa.analyze(load_psa_graph(connection, source))

    return analyze
