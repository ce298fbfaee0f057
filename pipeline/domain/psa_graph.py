"""The PSA graph: what an analysis of a PSA reads, the MSP's tenants included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.domain.graph import unreadable
from pipeline.domain.psa import Company, Site


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkableTenant:
    """A tenant that is read from Microsoft 365, by what a company may be known to be its own.

    Ids and domains are in lower case. ``verified_domains`` is empty until the tenant's organization has been read.
    """

    id: int
    name: str
    microsoft_tenant_ids: frozenset[str] = frozenset()
    verified_domains: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class PsaGraph:
    """A PSA's customers and every tenant of the installation; ``manual`` is tenant id → company id, set by people."""

    companies: Mapping[str, Company] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    tenants: Mapping[int, LinkableTenant] = field(default_factory=dict)
    manual: Mapping[int, str] = field(default_factory=dict)
    inputs: Mapping[Resource, ReadOutcome] = field(default_factory=dict)

    def unreadable(self, *resources: Resource) -> str | None:
        """Why a verdict resting on these resources cannot be told, as one sentence; ``None`` if all are complete."""
        return unreadable(self.inputs, resources)
