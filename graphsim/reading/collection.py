"""What a list of Graph is: path, type, limits, and where the objects come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphsim.protocol.filter_rules import RULES
from graphsim.protocol.schema import EntityShape
from graphsim.reading.reads import Entries, Place
from graphsim.world.state import TenantState

KEY = "{id}"
"""The path segment that stands for an object's id."""
PAGED = frozenset({"$select", "$top", "$skiptoken", "$count"})
WHOLE = frozenset({"$select"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """One list. ``resource`` is the name a capture files its pages under; ``context`` follows ``$metadata#``.

    ``paged`` lists take ``$top`` up to ``limit``. ``advanced`` ones count only with ``ConsistencyLevel: eventual``.
    """

    path: tuple[str, ...]
    resource: str
    context: str
    shape: EntityShape
    entries: Callable[[TenantState, Place], Entries]
    paged: bool = True
    limit: int = 999
    advanced: bool = False
    members: bool = False
    """Holds objects of several types, so each says which it is and a type cast is possible."""

    @property
    def options(self) -> frozenset[str]:
        plain = PAGED if self.paged else WHOLE
        return plain | self.shape.related_options | queries(self.shape)


def queries(shape: EntityShape) -> frozenset[str]:
    """The options that choose among objects of a type."""
    rule = RULES.get(shape.name)
    if rule is None:
        return frozenset()
    return frozenset({"$filter", "$orderby"}) | ({"$search"} if rule.searched_by else frozenset())


def at(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))
