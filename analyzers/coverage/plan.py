"""A tenant's policies made ready to be held against many users: done once per run."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.coverage.demands import Demand, demand_of
from analyzers.coverage.device_filter import matches_unknown_device
from analyzers.coverage.matching import outside_baseline, refers_to_locations, targets_resources
from analyzers.coverage.scope import Doubt, Named, Unread, sides
from analyzers.coverage.situations import Footprint, Grid, build_grid
from analyzers.privileged import roles_unreadable
from pipeline.domain.capture import Resource
from pipeline.domain.entities import ConditionalAccessPolicy, PolicyState
from pipeline.domain.graph import TenantGraph

NOWHERE = Footprint(mask=0, by_axis=())


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPolicy:
    """A policy with its demand and footprint.

    ``outside`` holds the conditions that keep it out of the baseline altogether. ``doubt`` says why its conditions
    or its demand cannot be told; it then has no footprint.
    """

    policy: ConditionalAccessPolicy
    include: Named
    exclude: Named
    demand: Demand
    about_resources: bool
    outside: tuple[str, ...] = ()
    doubt: Doubt | None = None
    footprint: Footprint = NOWHERE

    @property
    def enabled(self) -> bool:
        return self.policy.state == PolicyState.ENABLED

    @property
    def counts(self) -> bool:
        """Whether it can change a verdict: enabled, about resources, demanding something, in the baseline."""
        return self.enabled and self.about_resources and self.demand is not Demand.NOTHING and not self.outside

    @property
    def asks_mfa(self) -> bool:
        """Whether it is there to ask for MFA, whatever its state."""
        return self.about_resources and self.demand.mentions_mfa


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """``policies`` by id, those for workload identities left out; ``named_*`` are the ids that any of them names."""

    policies: tuple[PlannedPolicy, ...]
    grid: Grid
    unread: Unread
    named_users: frozenset[str]
    named_groups: frozenset[str]
    named_roles: frozenset[str]


def plan(graph: TenantGraph) -> Plan:
    """The plan of a tenant whose policies were read."""
    concerned = [
        graph.policies[key] for key in sorted(graph.policies) if not graph.policies[key].workload_identities_only
    ]
    prepared = [_prepare(policy, graph) for policy in concerned]
    counting = [one for one in prepared if one.counts and one.doubt is None]
    grid = build_grid([one.policy for one in counting], graph)
    footprints = {one.policy.id: print_ for one, print_ in zip(counting, grid.footprints, strict=True)}
    return Plan(
        policies=tuple(_placed(one, footprints.get(one.policy.id, NOWHERE)) for one in prepared),
        grid=grid,
        unread=Unread(
            groups=graph.unreadable(Resource.GROUPS, Resource.GROUP_MEMBERS),
            roles=roles_unreadable(graph),
        ),
        named_users=frozenset().union(*(side.users for one in prepared for side in (one.include, one.exclude))),
        named_groups=frozenset().union(*(side.groups for one in prepared for side in (one.include, one.exclude))),
        named_roles=frozenset().union(*(side.roles for one in prepared for side in (one.include, one.exclude))),
    )


def _prepare(policy: ConditionalAccessPolicy, graph: TenantGraph) -> PlannedPolicy:
    include, exclude = sides(policy.users)
    demand = demand_of(policy.grant, graph.authentication_strengths)
    rule = policy.device_filter
    matches = matches_unknown_device(rule.rule) if rule is not None else None
    return PlannedPolicy(
        policy=policy,
        include=include,
        exclude=exclude,
        demand=demand,
        about_resources=targets_resources(policy),
        outside=outside_baseline(policy, filter_matches=matches),
        doubt=_doubt(policy, graph, demand, filter_unclear=rule is not None and matches is None),
    )


def _placed(one: PlannedPolicy, footprint: Footprint) -> PlannedPolicy:
    return PlannedPolicy(
        policy=one.policy,
        include=one.include,
        exclude=one.exclude,
        demand=one.demand,
        about_resources=one.about_resources,
        outside=one.outside,
        doubt=one.doubt,
        footprint=footprint,
    )


def _doubt(
    policy: ConditionalAccessPolicy, graph: TenantGraph, demand: Demand, *, filter_unclear: bool
) -> Doubt | None:
    """What of the policy itself cannot be told: unread locations or strengths, a filter not understood."""
    if refers_to_locations(policy.locations) and (unread := graph.unreadable(Resource.NAMED_LOCATIONS)):
        return Doubt(reason=unread, input_missing=True)
    if policy.grant is not None and policy.grant.authentication_strength_id is not None and demand is not Demand.BLOCK:
        unread = graph.unreadable(Resource.AUTHENTICATION_STRENGTHS)
        if unread is not None:
            return Doubt(reason=unread, input_missing=True)
    if demand is Demand.STRENGTH_UNKNOWN:
        reason = f'the authentication strength of policy "{policy.display_name}" is not in the tenant'
        return Doubt(reason=reason, input_missing=False)
    if filter_unclear:
        return Doubt(
            reason=f'the device filter of policy "{policy.display_name}" is not understood', input_missing=False
        )
    return None
