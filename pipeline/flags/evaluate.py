"""The value of every flag for one tenant.

Order: kill switch, tenant override, percentage, global value.
"""

from __future__ import annotations

import mmh3

from pipeline.domain.flags import NEEDS_NEW_PIPELINE, Flag, FlagDecision, FlagSnapshot, FlagState, FlagValue, Reason

BUCKETS = 10_000
"""Hundredths of a percent."""


def bucket(salt: str, tenant: str) -> int:
    """The tenant's place from 0 to 9,999, evenly spread; independent from salt to salt.

    MurmurHash3's 32 bits scaled to the number of buckets, so that raising a percentage never drops a tenant.
    """
    return (mmh3.hash(f"{salt}:{tenant}", signed=False) * BUCKETS) >> 32


def evaluate(flag: Flag, state: FlagState, tenant_id: int) -> FlagValue:
    """The flag's value for the tenant and why it has it."""
    if state.killed:
        return FlagValue(value=False, reason=Reason.DISABLED)
    override = state.overrides.get(tenant_id)
    if override is not None:
        return FlagValue(value=override, reason=Reason.TARGETING_MATCH)
    if state.rollout is not None:
        inside = bucket(flag.value, str(tenant_id)) < round(state.rollout * 100)
        return FlagValue(value=inside, reason=Reason.SPLIT)
    return FlagValue(value=state.enabled, reason=Reason.STATIC)


def decide(snapshot: FlagSnapshot, tenant_id: int) -> FlagDecision:
    """Every flag for the tenant, parts of the new branch off where the new branch is off."""
    values = {flag: evaluate(flag, snapshot.get(flag, FlagState()), tenant_id) for flag in Flag}
    master = values[Flag.NEW_PIPELINE]
    if not master.value:
        off = FlagValue(value=False, reason=master.reason)
        values |= dict.fromkeys(NEEDS_NEW_PIPELINE, off)
    return values
