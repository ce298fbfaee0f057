"""A tenant's policies made ready to be held against many users: done once per run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analyzers.coverage.demands import Demand, demand_of, needs_strengths
from analyzers.coverage.device_filter import matches_unknown_device
from analyzers.coverage.gaps import Gap, gaps
from analyzers.coverage.matching import (
    BASELINE,
    Circumstances,
    outside_baseline,
    refers_to_locations,
    targets_resources,
)
from analyzers.coverage.roster import Roster, roster
from analyzers.coverage.scope import Doubt, Named, Unread, sides
from analyzers.coverage.situations import Footprint, Grid, build_grid
from analyzers.privileged import roles_unreadable
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import ConditionalAccessPolicy, PolicyState
from pipeline.domain.graph import TenantGraph

NOWHERE = Footprint(mask=0, by_axis=())


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPolicy:
    """A policy with its demand and footprint.

    ``counts``: it can change a verdict, being enabled, about resources, demanding something, in the baseline.
    ``asks_mfa``: it is there to ask for MFA, whatever its state. ``outside`` holds the conditions that keep it out
    of the baseline. ``doubt`` says why its conditions or its demand cannot be told; it then has no footprint.
    """

    policy: ConditionalAccessPolicy
    include: Named
    exclude: Named
    demand: Demand
    enabled: bool
    counts: bool
    asks_mfa: bool
    outside: tuple[str, ...]
    doubt: Doubt | None
    footprint: Footprint = NOWHERE
    gaps: tuple[Gap, ...] = ()

    @property
    def title(self) -> str:
        """How a sentence names it."""
        return f'"{self.policy.display_name or self.policy.id}"'


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """``policies`` by id, those for workload identities left out, and sets of them as bit masks over that order.

    ``named_*`` are the ids that any policy names.
    """

    policies: tuple[PlannedPolicy, ...]
    roster: Roster
    grid: Grid
    unread: Unread
    enabled: int
    counting: int
    blocking: int
    doubtful: int
    asking: int
    named_users: frozenset[str]
    named_groups: frozenset[str]
    named_roles: frozenset[str]

    def members(self, mask: int) -> list[PlannedPolicy]:
        """The policies of a set, in order."""
        found = []
        while mask:
            lowest = mask & -mask
            found.append(self.policies[lowest.bit_length() - 1])
            mask ^= lowest
        return found


def plan(graph: TenantGraph, circumstances: Circumstances = BASELINE) -> Plan:
    """The plan of a tenant whose policies were read, for sign-ins in these circumstances.

    "The baseline" below is these circumstances. Whom policies name does not hang on them, nor do signatures.
    """
    unread = Unread(
        groups=graph.unreadable(Resource.GROUPS, Resource.GROUP_MEMBERS),
        roles=roles_unreadable(graph),
    )
    ordered = (graph.policies[key] for key in sorted(graph.policies))
    prepared = [_prepare(policy, graph, circumstances) for policy in ordered if not policy.workload_identities_only]
    grid, policies = _placed(prepared, graph)
    named = [side for one in policies for side in (one.include, one.exclude)]
    return Plan(
        policies=policies,
        roster=roster([(one.include, one.exclude) for one in policies], unread),
        grid=grid,
        unread=unread,
        enabled=_set(policies, lambda one: one.enabled),
        counting=_set(policies, lambda one: one.counts),
        blocking=_set(policies, lambda one: one.demand is Demand.BLOCK),
        doubtful=_set(policies, lambda one: one.doubt is not None),
        asking=_set(policies, lambda one: one.asks_mfa),
        named_users=frozenset().union(*(side.users for side in named)),
        named_groups=frozenset().union(*(side.groups for side in named)),
        named_roles=frozenset().union(*(side.roles for side in named)),
    )


def _set(policies: Sequence[PlannedPolicy], belongs: Callable[[PlannedPolicy], bool]) -> int:
    return sum(1 << number for number, one in enumerate(policies) if belongs(one))


def _prepare(policy: ConditionalAccessPolicy, graph: TenantGraph, circumstances: Circumstances) -> PlannedPolicy:
    include, exclude = sides(policy.users)
    demand = demand_of(policy.grant, graph.authentication_strengths)
    matches = None if policy.device_filter is None else matches_unknown_device(policy.device_filter.rule)
    outside = outside_baseline(policy, filter_matches=matches, circumstances=circumstances)
    about_resources = targets_resources(policy)
    enabled = policy.state == PolicyState.ENABLED
    return PlannedPolicy(
        policy=policy,
        include=include,
        exclude=exclude,
        demand=demand,
        enabled=enabled,
        counts=enabled and about_resources and demand is not Demand.NOTHING and not outside,
        asks_mfa=about_resources and demand.mentions_mfa,
        outside=outside,
        doubt=_doubt(policy, graph, demand, filter_unclear=policy.device_filter is not None and matches is None),
    )


def _placed(prepared: Sequence[PlannedPolicy], graph: TenantGraph) -> tuple[Grid, tuple[PlannedPolicy, ...]]:
    """The grid that the counting policies span, and all policies with their place on it."""
    counting = [one for one in prepared if one.counts and one.doubt is None]
    grid = build_grid([one.policy for one in counting], graph)
    places = {one.policy.id: place for one, place in zip(counting, grid.footprints, strict=True)}

    def placed(one: PlannedPolicy) -> PlannedPolicy:
        place = places.get(one.policy.id)
        if place is None:
            return one
        return replace(one, footprint=place, gaps=gaps(one.policy, one.demand, place, grid, graph))

    return grid, tuple(placed(one) for one in prepared)


def _doubt(
    policy: ConditionalAccessPolicy, graph: TenantGraph, demand: Demand, *, filter_unclear: bool
) -> Doubt | None:
    """What of the policy itself cannot be told: unread locations or strengths, a filter not understood."""
    if refers_to_locations(policy.locations) and (unread := graph.unreadable(Resource.NAMED_LOCATIONS)):
        return Doubt(reason=unread, input_missing=True)
    if needs_strengths(policy.grant) and demand is not Demand.BLOCK:
        unread = graph.unreadable(Resource.AUTHENTICATION_STRENGTHS)
        if unread is not None:
            return Doubt(reason=unread, input_missing=True)
    if demand is Demand.STRENGTH_UNKNOWN:
        reason = f'the authentication strength of policy "{policy.display_name}" is not in the tenant'
        return Doubt(reason=reason, input_missing=False)
    if filter_unclear:
        reason = f'the device filter of policy "{policy.display_name}" is not understood'
        return Doubt(reason=reason, input_missing=False)
    return None
