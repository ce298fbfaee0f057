"""A request's path as segments, and tables of paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from graphsim.reading.collection import KEY

_Found = TypeVar("_Found")
_KEY_IN_PARENTHESES = re.compile(r"^(\w+)\((.+)\)$")


def path_segments(path: str) -> list[str]:
    """The path's segments, with ``users('id')`` read as ``users/id`` and ``users/delta()`` as ``users/delta``."""
    segments: list[str] = []
    for part in path.strip("/").split("/"):
        raw = part.removesuffix("()").removeprefix("microsoft.graph.") if part.endswith("()") else part
        keyed = _KEY_IN_PARENTHESES.match(raw)
        segments += [keyed[1], keyed[2].strip("'")] if keyed else [raw]
    return segments


def matching(table: Iterable[tuple[tuple[str, ...], _Found]], segments: list[str]) -> _Found | None:
    """What a table of paths holds for this one."""
    return next((found for path, found in table if match(path, segments) is not None), None)


def match(path: tuple[str, ...], segments: list[str]) -> str | None:
    """The key in the path, empty when it has none, ``None`` when the path is another."""
    if len(path) != len(segments):
        return None
    key = ""
    for part, segment in zip(path, segments, strict=True):
        if part == KEY:
            key = segment
        elif part.lower() != segment.lower():
            return None
    return key
