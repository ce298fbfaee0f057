"""Whom a rule leaves alone in a tenant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from analyzers.rule import Rule
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import Exemption, ExemptionKind

EVERY_RULE_SPARES = frozenset({ExemptionKind.USER, ExemptionKind.GROUP})
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Exempt:
    """The exemptions of a tenant over its graph. Without slots, since the cached value lives beside it."""

    exemptions: tuple[Exemption, ...]
    graph: TenantGraph

    def of(self, rule: Rule) -> frozenset[str]:
        """The external ids of users and groups whose problems of this rule are accepted."""
        spared = EVERY_RULE_SPARES | rule.spares
        accepted = [one for one in self.exemptions if one.alert_type in {None, rule.alert_type} and one.kind in spared]
        return frozenset().union(*(self._covered_by(one) for one in accepted)) if accepted else NOBODY

    def _covered_by(self, exemption: Exemption) -> Iterable[str]:
        own = {exemption.external_id}
        return own | self._members[exemption.external_id] if exemption.kind is ExemptionKind.GROUP else own

    @cached_property
    def _members(self) -> defaultdict[str, set[str]]:
        """The members at any depth of the groups that are exempt."""
        wanted = {one.external_id for one in self.exemptions if one.kind is ExemptionKind.GROUP}
        found: defaultdict[str, set[str]] = defaultdict(set)
        for identity, groups in self.graph.groups_of.items():
            for group in wanted & groups:
                found[group].add(identity)
        return found
