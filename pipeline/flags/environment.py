"""The flags' starting point: what the environment says of each."""

from __future__ import annotations

from pipeline.domain.flags import Flag, FlagSnapshot, FlagState
from pipeline.domain.runs import DataSource
from pipeline.settings import Settings


def starting_point(settings: Settings) -> FlagSnapshot:
    """Every flag as ``FEATURE_<FLAG>`` and ``FEATURE_<FLAG>_ROLLOUT`` set it, without overrides."""
    return {
        flag: FlagState(
            enabled=getattr(settings, f"feature_{flag.value}"),
            rollout=getattr(settings, f"feature_{flag.value}_rollout"),
        )
        for flag in Flag
    }


def listed_overrides(settings: Settings, source: DataSource) -> dict[Flag, bool]:
    """What the former system's ``UNIFIED_ANALYZER_TENANTS`` says of a tenant, by its name or id."""
    names = settings.unified_analyzer_tenants
    listed = source.tenant in names or str(source.scope.tenant_id) in names
    return {Flag.UNIFIED_ANALYZER: True} if listed else {}
