"""The providers tenants are read from, and what each of them is read for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipeline.domain.capture import RESOURCES, Resource, SyncType


class Provider(StrEnum):
    """As stored with a data source and named on the command line."""

    MICROSOFT365 = "microsoft365"
    HALOPSA = "halopsa"


OF_PSA = (SyncType.COMPANIES, SyncType.CONTRACTS)

SYNC_TYPES: Mapping[Provider, tuple[SyncType, ...]] = {
    Provider.MICROSOFT365: tuple(kind for kind in SyncType if kind not in OF_PSA),
    Provider.HALOPSA: OF_PSA,
}
"""What a source of each provider can be synced for, in the order of the schedule."""

PROVIDER_OF: Mapping[SyncType, Provider] = {kind: provider for provider, kinds in SYNC_TYPES.items() for kind in kinds}
"""The reverse: no sync type belongs to two providers."""


def resources_of(provider: Provider) -> tuple[Resource, ...]:
    """Every list that is read of the provider."""
    return tuple(resource for kind in SYNC_TYPES[provider] for resource in RESOURCES[kind])


def known_provider(name: str) -> Provider | None:
    """The provider of that name, ``None`` if there is none."""
    return next((provider for provider in Provider if provider.value == name), None)
