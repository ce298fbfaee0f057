"""The tenant graph of an exported capture, without any server."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.providers.folder import read_folder
from pipeline.providers.microsoft365.normalize import normalize


def folder_graph(folder: Path) -> TenantGraph:
    """The graph of the folder's tenant; a file that is missing is a list that could not be read.

    Raises ``CaptureFileError`` naming file, place and reason when a file cannot be read.
    """
    pages, outcomes = read_folder(folder)
    capture = normalize(pages, outcomes)
    return build_graph(
        entities=capture.entities,
        pairs={kind: [(edge.parent_id, edge.child_id) for edge in edges] for kind, edges in capture.edges.items()},
        inputs=capture.outcomes,
    )
