"""From a flag decision to the branch a run takes and the parts that do its stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.domain.flags import Flag, FlagDecision
from pipeline.domain.runs import Branch, Lane, Parts

LEGACY_PARTS = Parts(linker="legacy", analyzer="legacy", alerts="legacy")
NEW_PARTS = Parts(linker="batch", analyzer="unified", alerts="reconcile")


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where a run goes. ``owner`` is the branch whose results count; the control of a comparison."""

    branch: Branch
    owner: Branch
    parts: Mapping[Lane, Parts]


def route(decision: FlagDecision, *, compare: bool) -> Route:
    """The route of a run; ``compare`` asks for a comparison whatever the tenant's ``comparison_mode`` says."""
    new = decision[Flag.NEW_PIPELINE].value
    own = _new_parts(decision) if new else LEGACY_PARTS
    owner = Branch.NEW if new else Branch.LEGACY
    if not (compare or decision[Flag.COMPARISON_MODE].value):
        return Route(branch=owner, owner=owner, parts={Lane.MAIN: own})
    other = LEGACY_PARTS if new else NEW_PARTS
    return Route(branch=Branch.COMPARISON, owner=owner, parts={Lane.CONTROL: own, Lane.CANDIDATE: other})


def _new_parts(decision: FlagDecision) -> Parts:
    return Parts(
        linker="batch" if decision[Flag.BATCH_LOADING].value else "n_plus_one",
        analyzer="unified" if decision[Flag.UNIFIED_ANALYZER].value else "separate",
        alerts="reconcile" if decision[Flag.ALERT_MANAGER].value else "legacy",
    )
