"""The lists that are read of a HaloPSA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.domain.capture import Resource
from pipeline.providers.halopsa import payloads

Record = payloads.Client | payloads.Site | payloads.Contract


class Listed(Protocol):
    """One page of a list: so many records there are in all, and these of them."""

    @property
    def record_count(self) -> int: ...

    @property
    def rows(self) -> Sequence[Record]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class HaloList:
    """A list: where it is, what is asked for besides paging, its shape, and the permission it needs."""

    resource: Resource
    path: str
    shape: type[Listed]
    permission: str
    query: Mapping[str, str] = field(default_factory=dict)
    never_empty: bool = False
    """Every instance has at least one: HaloPSA comes with clients of its own, to which unknown callers are put."""


LISTS = (
    HaloList(
        resource=Resource.CLIENTS,
        path="/api/Client",
        shape=payloads.ClientList,
        permission="read:customers",
        query={"includeactive": "true", "includeinactive": "true", "includeazuretenants": "true"},
        never_empty=True,
    ),
    HaloList(
        resource=Resource.SITES,
        path="/api/Site",
        shape=payloads.SiteList,
        permission="read:customers",
        query={"includeactive": "true", "includeinactive": "true"},
    ),
    HaloList(
        resource=Resource.CONTRACTS,
        path="/api/ClientContract",
        shape=payloads.ContractList,
        permission="read:contracts",
        query={"includeinactive": "true"},
    ),
)
"""Inactive ones are read too: a customer that left is told apart from one that could not be read."""
