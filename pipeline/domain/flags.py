"""Feature flags: the closed set of names, and what a decision looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Flag(StrEnum):
    NEW_PIPELINE = "new_pipeline"
    UNIFIED_ANALYZER = "unified_analyzer"
    ALERT_MANAGER = "alert_manager"
    BATCH_LOADING = "batch_loading"
    PERFORMANCE_MONITORING = "performance_monitoring"
    COMPARISON_MODE = "comparison_mode"
    STI_ENTITIES = "sti_entities"


NEEDS_NEW_PIPELINE = frozenset({Flag.UNIFIED_ANALYZER, Flag.ALERT_MANAGER, Flag.BATCH_LOADING})
"""Flags that choose a part of the new branch; they count as off where the new branch itself is off."""


class Reason(StrEnum):
    """Why a flag has its value; OpenFeature's names."""

    DISABLED = "DISABLED"
    """The kill switch is on."""
    TARGETING_MATCH = "TARGETING_MATCH"
    """The tenant has an override."""
    SPLIT = "SPLIT"
    """The tenant's bucket is inside, or outside, the percentage."""
    STATIC = "STATIC"
    """The global value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagState:
    """One flag as configured. ``rollout`` is a percentage from 0 to 100, or ``None`` when the flag has none."""

    enabled: bool = False
    rollout: float | None = None
    killed: bool = False
    overrides: Mapping[int, bool] = field(default_factory=lambda: MappingProxyType({}))
    """Tenant id → value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagValue:
    value: bool
    reason: Reason


FlagSnapshot = Mapping[Flag, FlagState]
FlagDecision = Mapping[Flag, FlagValue]
