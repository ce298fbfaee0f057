"""The analysis of a PSA beside whatever analyzes a tenant."""

from __future__ import annotations

from sqlalchemy import Connection

from analyzers.directory import psa
from pipeline.domain.findings import AnalysisResult
from pipeline.stages.analyze import Analyzer, Order
from pipeline.storage.psa import load_psa_graph


def with_psa(rest: Analyzer) -> Analyzer:
    """An analyzer that leaves everything but the PSA to ``rest``.

    The former system knew no PSA, so there is nothing to be faithful to: every branch judges it by the same rules, and
    a comparison finds them equal.
    """

    def analyze(connection: Connection, order: Order) -> AnalysisResult:
        if not order.types & psa.OF_PSA:
            return rest(connection, order) if order.types else AnalysisResult()
        return psa.analyze(load_psa_graph(connection, order.source))

    return analyze
