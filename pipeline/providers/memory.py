"""A tenant held in memory: the source for tests, exported captures and anything that was read before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.domain.capture import Changes, Edges, Entities, Page, ReadOutcome, Resource
from pipeline.domain.graph import NEVER_READ
from pipeline.providers.microsoft365 import normalize as microsoft365
from pipeline.providers.source import IN_FULL, Since


class MemorySource:
    """A ``TenantSource`` over given pages; a resource without an outcome has never been read."""

    def __init__(self, pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome]) -> None:
        self._pages = tuple(pages)
        self._outcomes = dict(outcomes)

    def read(
        self,
        resources: Sequence[Resource],
        sink: Callable[[Page], None],
        *,
        since: Since = IN_FULL,  # noqa: ARG002 - what is held in memory is always whole
    ) -> Mapping[Resource, ReadOutcome]:
        """The pages of the requested resources and their outcomes."""
        for page in self._pages:
            if page.resource in resources:
                sink(page)
        return {resource: self._outcomes.get(resource, NEVER_READ) for resource in resources}

    def entities(self, pages: Iterable[Page]) -> Entities:
        return microsoft365.entities(pages)

    def edges(self, pages: Iterable[Page]) -> Edges:
        return microsoft365.edges(pages)

    def changes(self, pages: Iterable[Page]) -> Changes:
        return microsoft365.changes(pages)
