"""The tenant graph of a capture, in a folder or in hand, without any server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.domain.capture import Page, ReadOutcome, Resource
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.providers.folder import read_folder
from pipeline.providers.microsoft365.normalize import normalize


def folder_graph(folder: Path) -> TenantGraph:
    """The graph of the folder's tenant; a file that is missing is a list that could not be read.

    Raises ``CaptureFileError`` naming file, place and reason when a file cannot be read.
    """
    return graph_of(*read_folder(folder))


def graph_of(pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome]) -> TenantGraph:
    """The graph of what was read of a Microsoft 365 tenant."""
    capture = normalize(pages, outcomes)
    return build_graph(
        entities=capture.entities,
        pairs={kind: [(edge.parent_id, edge.child_id) for edge in edges] for kind, edges in capture.edges.items()},
        inputs=capture.outcomes,
    )
