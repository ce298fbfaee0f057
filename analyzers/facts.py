"""What several rules need to know of one tenant at one time, each found out at most once a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from analyzers.coverage import Coverage
from analyzers.privileged import Holders, privileged
from pipeline.domain.conditional_access import PolicyState
from pipeline.domain.graph import TenantGraph


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about ``graph``, computed when first asked for. Without slots, since the cached values live beside it."""

    graph: TenantGraph
    now: datetime

    @cached_property
    def holders(self) -> Holders:
        return privileged(self.graph)

    @cached_property
    def privileged(self) -> frozenset[str]:
        """The ids of identities that hold a privileged role; for rules that name the roles among their inputs."""
        return self.holders.ids or frozenset()

    @cached_property
    def any_policy_enabled(self) -> bool:
        """Whether a policy that can concern a user is enabled; those for workload identities cannot."""
        policies = self.graph.policies.values()
        return any(one.state == PolicyState.ENABLED and not one.workload_identities_only for one in policies)

    @cached_property
    def coverage(self) -> Coverage:
        return Coverage(self.graph)
