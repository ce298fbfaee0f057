"""The in-memory source."""

from __future__ import annotations

from pipeline.domain.capture import COMPLETE, Page, Resource
from pipeline.domain.graph import NEVER_READ
from pipeline.providers.memory import MemorySource
from pipeline.providers.microsoft365 import normalize

PAGES = [Page(resource=resource, body=b'{"value":[]}') for resource in (Resource.USERS, Resource.SKUS)]


def test_only_what_is_asked_for_is_read() -> None:
    source, sunk = MemorySource(PAGES, {Resource.USERS: COMPLETE, Resource.SKUS: COMPLETE}, normalize), list[Page]()
    assert source.read([Resource.SKUS], sunk.append) == {Resource.SKUS: COMPLETE}
    assert sunk == PAGES[1:]


def test_a_list_without_an_outcome_has_not_been_read() -> None:
    assert MemorySource([], {}, normalize).read([Resource.USERS], list[Page]().append) == {Resource.USERS: NEVER_READ}
