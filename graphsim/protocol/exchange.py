"""One request to Graph and one answer, as values: alone, or an item of a batch. No HTTP server in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphRequest:
    """``path`` follows ``/v1.0/``; ``service`` is the address up to ``/v1.0``; header names are in lower case."""

    path: str
    service: str
    method: str = "GET"
    parameters: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A status, a JSON body (empty when there is none) and the headers that matter, ``Location`` for instance."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
