"""Pages held back until their list has been read to its end."""

from __future__ import annotations

from collections.abc import Iterator

import zstandard


class Spool:
    """Pages in the order they came, compressed (level 1): 100,000 users take about 15 MB instead of 100."""

    def __init__(self) -> None:
        self._pages: list[bytes] = []

    def add(self, body: bytes) -> None:
        self._pages.append(zstandard.compress(body, 1))

    def clear(self) -> None:
        self._pages.clear()

    def __iter__(self) -> Iterator[bytes]:
        return (zstandard.decompress(page) for page in self._pages)
