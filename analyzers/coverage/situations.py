"""The sign-in situations worth telling apart, and each policy's share of them as one bit mask.

A situation is a point on four axes: resource, client app, platform, location. Device, risk and authentication
flow are fixed in the baseline (unmanaged, none, an ordinary sign-in). An axis holds every value a policy mentions
plus "anything else"; values that every policy treats alike are one, which keeps the grid small however many apps
are named. Bit ``i`` of a mask is situation ``i``; a policy's mask has the bits of the situations it applies in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analyzers.coverage.matching import (
    CLIENTS,
    LEGACY_CLIENTS,
    MFA_TRUSTED_IPS,
    OTHER,
    TRUSTED,
    covers_app,
    covers_client,
    covers_location,
    covers_platform,
    filtered_apps,
)
from pipeline.domain.conditional_access import ConditionalAccessPolicy
from pipeline.domain.graph import TenantGraph

Covers = Callable[[ConditionalAccessPolicy, str], bool]

APPLICATION, CLIENT_APPS, DEVICE_PLATFORM, LOCATION = "application", "clientApps", "devicePlatform", "location"


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """One dimension: its what-if reason code, its values, and a bit mask over them for each policy."""

    code: str
    values: tuple[str, ...]
    masks: tuple[int, ...]
    marked: int = 0
    """The values that are special: legacy clients, trusted locations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """Where one policy applies: the situations, and for each axis those that its condition on the axis allows."""

    mask: int
    by_axis: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """All situations, those of legacy clients and of trusted locations, and the footprint of each policy."""

    everything: int
    legacy: int
    trusted: int
    footprints: tuple[Footprint, ...]


def build_grid(policies: Sequence[ConditionalAccessPolicy], graph: TenantGraph) -> Grid:
    """The grid the policies span; footprints stand in the order of ``policies``."""
    axes = _axes(policies, graph)
    sizes = [len(axis.values) for axis in axes]
    full = [(1 << size) - 1 for size in sizes]

    def plane(index: int, mask: int) -> int:
        return _cross([mask if other == index else full[other] for other in range(len(axes))], sizes)

    footprints = []
    for number in range(len(policies)):
        by_axis = tuple((axis.code, plane(index, axis.masks[number])) for index, axis in enumerate(axes))
        footprints.append(Footprint(mask=_cross([axis.masks[number] for axis in axes], sizes), by_axis=by_axis))
    return Grid(
        everything=_cross(full, sizes),
        legacy=plane(1, axes[1].marked),
        trusted=plane(3, axes[3].marked),
        footprints=tuple(footprints),
    )


def _axes(policies: Sequence[ConditionalAccessPolicy], graph: TenantGraph) -> tuple[Axis, Axis, Axis, Axis]:
    trusted = trusted_locations(graph)

    def located(policy: ConditionalAccessPolicy, place: str) -> bool:
        return covers_location(policy, place, trusted=place in trusted)

    return (
        _axis(APPLICATION, policies, mentioned_apps(policies), covers_app),
        _axis(CLIENT_APPS, policies, CLIENTS, covers_client, LEGACY_CLIENTS),
        _axis(DEVICE_PLATFORM, policies, mentioned_platforms(policies), covers_platform),
        _axis(LOCATION, policies, mentioned_locations(policies), located, trusted),
    )


def _axis(
    code: str,
    policies: Sequence[ConditionalAccessPolicy],
    values: Iterable[str],
    covers: Covers,
    special: frozenset[str] = frozenset(),
) -> Axis:
    """An axis on which values that all policies treat alike are merged into the first of them."""
    columns: dict[tuple[bool, ...], str] = {}
    for value in values:
        columns.setdefault((value in special, *(covers(policy, value) for policy in policies)), value)
    kept = list(columns)
    masks = tuple(_bits(column[1 + number] for column in kept) for number in range(len(policies)))
    return Axis(code=code, values=tuple(columns.values()), masks=masks, marked=_bits(column[0] for column in kept))


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << position for position, flag in enumerate(flags) if flag)


def _cross(masks: Sequence[int], sizes: Sequence[int]) -> int:
    """The mask over the whole grid of the points whose every coordinate is in the mask of its axis."""
    crossed, width = 1, 1
    for mask, size in zip(reversed(masks), reversed(sizes), strict=True):
        crossed = sum(crossed << (position * width) for position in range(size) if mask >> position & 1)
        width *= size
    return crossed


def mentioned_apps(policies: Iterable[ConditionalAccessPolicy]) -> tuple[str, ...]:
    named = {app for policy in policies for app in (*policy.applications.include, *policy.applications.exclude)}
    named |= {chosen for policy in policies if (chosen := filtered_apps(policy)) is not None}
    return (*sorted(named - {"All", "None"}), OTHER)


def mentioned_platforms(policies: Iterable[ConditionalAccessPolicy]) -> tuple[str, ...]:
    named = {name for policy in policies for name in (*policy.platforms.include, *policy.platforms.exclude)}
    return (*sorted(named - {"all"}), OTHER)


def mentioned_locations(policies: Iterable[ConditionalAccessPolicy]) -> tuple[str, ...]:
    named = {place for policy in policies for place in (*policy.locations.include, *policy.locations.exclude)}
    anywhere_trusted = (TRUSTED,) if "AllTrusted" in named else ()
    return (*sorted(named - {"All", "AllTrusted"}), *anywhere_trusted, OTHER)


def trusted_locations(graph: TenantGraph) -> frozenset[str]:
    """The values on the location axis that ``AllTrusted`` means."""
    return frozenset(key for key, place in graph.named_locations.items() if place.trusted) | {TRUSTED, MFA_TRUSTED_IPS}
