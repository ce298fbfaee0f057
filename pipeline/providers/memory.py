"""A tenant held in memory: the source for tests, exported captures and anything that was read before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.domain.capture import Changes, Edges, Entities, Page, ReadOutcome, Resource
from pipeline.domain.graph import NEVER_READ
from pipeline.providers.source import IN_FULL, Normalizer, Since


class MemorySource:
    """A ``TenantSource`` over given pages, of the provider whose normalizer it is given.

    A resource without an outcome has never been read.
    """

    def __init__(self, pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome], normalizer: Normalizer) -> None:
        self._pages = tuple(pages)
        self._outcomes = dict(outcomes)
        self._normalizer = normalizer

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
        return self._normalizer.entities(pages)

    def edges(self, pages: Iterable[Page]) -> Edges:
        return self._normalizer.edges(pages)

    def changes(self, pages: Iterable[Page]) -> Changes:
        return self._normalizer.changes(pages)
