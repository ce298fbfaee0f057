"""The analysis of a capture folder: no servers, no ledger, the same rules."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pipeline.domain.findings import AnalysisResult
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.providers.folder import read_folder
from pipeline.providers.microsoft365.normalize import normalize
from pipeline.wiring import GRAPH_ANALYZERS


class Rules(StrEnum):
    """Whose rules: a branch of the pipeline."""

    NEW = "new"
    LEGACY = "legacy"


def analyze_folder(folder: Path, rules: Rules, now: datetime) -> AnalysisResult:
    """What the rules say of the folder's tenant as of ``now``.

    Raises ``CaptureFileError`` naming file, place and reason when a file cannot be read; a missing one is a list
    that could not be read.
    """
    return GRAPH_ANALYZERS[rules.value](read_graph(folder), now)


def read_graph(folder: Path) -> TenantGraph:
    pages, outcomes = read_folder(folder)
    capture = normalize(pages, outcomes)
    return build_graph(
        entities=capture.entities,
        pairs={kind: [(edge.parent_id, edge.child_id) for edge in edges] for kind, edges in capture.edges.items()},
        inputs=capture.outcomes,
    )
