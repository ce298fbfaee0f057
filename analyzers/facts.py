"""What several analyzers need to know of one tenant, each found out at most once a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from analyzers.coverage import TenantCoverage, measure
from analyzers.privileged import Holders, privileged
from pipeline.domain.graph import TenantGraph


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about ``graph``, computed when first asked for. Without slots, since the cached values live beside it."""

    graph: TenantGraph

    @cached_property
    def holders(self) -> Holders:
        return privileged(self.graph)

    @cached_property
    def coverage(self) -> TenantCoverage:
        return measure(self.graph)
