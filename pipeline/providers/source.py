"""The seam between the pipeline and whatever a tenant is read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from pipeline.domain.capture import Changes, Edges, Entities, Page, ReadOutcome, Resource

Since = Mapping[Resource, str]
"""The token of an earlier reading, for each resource of which its changes are enough."""
IN_FULL: Since = MappingProxyType({})


class Normalizer(Protocol):
    """Pages of one provider in the domain's terms. A module with these functions is one."""

    def entities(self, pages: Iterable[Page]) -> Entities:
        """What the pages hold, in the domain's terms. Pure: the same pages give the same value, in any order."""
        ...

    def edges(self, pages: Iterable[Page]) -> Edges:
        """How what the pages hold is related. Pure, as ``entities`` is; asked for apart, for each stage decodes only
        what it needs.
        """
        ...

    def changes(self, pages: Iterable[Page]) -> Changes:
        """What the pages of changes among these say is gone or wholly told. Pure, as ``entities`` is."""
        ...


class TenantSource(Normalizer, Protocol):
    """One tenant of one provider."""

    def read(
        self, resources: Sequence[Resource], sink: Callable[[Page], None], *, since: Since = IN_FULL
    ) -> Mapping[Resource, ReadOutcome]:
        """Every requested resource's outcome, after passing each page to ``sink`` as it arrives.

        A resource with a token in ``since`` may be read as its changes; its outcome then says ``changes_only``. A
        source reads it in full where it cannot tell the changes, or not any more. What can only be read in full
        stands unread beside changes and has no outcome then.
        A resource that ends early is reported incomplete with its reason and the others go on. Raises
        ``TenantUnreachableError`` when the tenant refuses us as a whole and ``TransientError`` when nothing useful
        could be read now; pages passed on before an error are to be thrown away by the caller.
        """
        ...
