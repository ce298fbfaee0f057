"""Pages held back until their list has been read to its end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import zstandard

from pipeline.domain.capture import Page, Resource

IN_MEMORY_BYTES = 2 * 1024 * 1024
"""Compressed, some 15,000 users; a tenant is read by up to a dozen spools at a time."""


class Spool:
    """Pages in the order they came: compressed (level 1, to about a tenth), on disk beyond ``IN_MEMORY_BYTES``.

    Held by one list of any length at a bounded cost, so that a restart can throw away what came before it. A walk over
    the pages has to end before the next one begins.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed by __exit__
        self._index: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, body: bytes, parent_id: str = "") -> None:
        compressed = zstandard.compress(body, 1)
        self._file.write(compressed)
        self._index.append((parent_id, len(compressed)))

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._index.clear()

    def pages(self, resource: Resource) -> Iterator[Page]:
        return (Page(resource=resource, body=body, parent_id=parent_id) for parent_id, body in self._walk())

    def __iter__(self) -> Iterator[bytes]:
        """The pages' bodies."""
        return (body for _, body in self._walk())

    def _walk(self) -> Iterator[tuple[str, bytes]]:
        self._file.seek(0)
        for parent_id, length in self._index:
            yield parent_id, zstandard.decompress(self._file.read(length))
