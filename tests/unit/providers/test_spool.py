"""Pages that wait for the end of their list: in order, thrown away whole, and on disk where they are many."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from pipeline.domain.capture import Page, Resource
from pipeline.providers.microsoft365.spool import IN_MEMORY_BYTES, Spool

PAGE = 256 * 1024


def test_pages_come_back_as_they_went_in_and_more_than_once() -> None:
    with Spool() as spool:
        spool.add(b"one", "p")
        spool.add(b"two")
        expected = [
            Page(resource=Resource.GROUP_MEMBERS, body=b"one", parent_id="p"),
            Page(resource=Resource.GROUP_MEMBERS, body=b"two"),
        ]
        assert list(spool.pages(Resource.GROUP_MEMBERS)) == expected
        assert next(iter(spool)) == b"one"
        assert list(spool) == [b"one", b"two"]


def test_a_restart_leaves_nothing_of_what_was_before() -> None:
    with Spool() as spool:
        for body in (b"a long page of the first try", b"another"):
            spool.add(body)
        spool.clear()
        assert list(spool) == []
        spool.add(b"new")
        assert list(spool) == [b"new"]


@pytest.mark.parametrize("size", [2, 8])
def test_memory_does_not_grow_with_the_list(size: int) -> None:
    chance = random.Random(1)  # noqa: S311 - what can't be compressed, the same every time
    page = chance.randbytes(PAGE)
    with Spool() as spool:
        tracemalloc.start()
        for _ in range(size * IN_MEMORY_BYTES // PAGE):
            spool.add(page)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < IN_MEMORY_BYTES
        assert sum(len(body) for body in spool) == size * IN_MEMORY_BYTES
