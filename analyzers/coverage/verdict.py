"""From policies in scope to a verdict: full, partial, none, blocked, or cannot tell.

Each situation of the baseline is BLOCK, MFA or OPEN. Block beats all. Choices where Microsoft's pages leave room:

- A policy that asks only for something else (a compliant device, terms of use) leaves a situation OPEN: someone
  with a managed device gets in on a password. It does not count against a policy that demands MFA beside it.
- A policy that takes MFA *or* something else leaves a situation OPEN too, yet the user is not without any MFA:
  such a tenant is partial, never none.
- Legacy clients can't do MFA nor prove a device, so every grant control blocks them.
- Blocked in every situation is its own outcome: such a user is locked out, not without MFA.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analyzers.coverage.demands import Demand
from analyzers.coverage.plan import PlannedPolicy
from analyzers.coverage.situations import Grid
from pipeline.domain.findings import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The situations, as bit masks, in which MFA is certain, a sign-in is open, and open though MFA is offered."""

    mfa: int
    open: int
    offered: int

    @property
    def verdict(self) -> Verdict:
        """What policies alone give; ``NOT_APPLICABLE`` if every situation is blocked."""
        if not self.open:
            return Verdict.FULL if self.mfa else Verdict.NOT_APPLICABLE
        return Verdict.PARTIAL if self.mfa or self.offered else Verdict.NONE


def tally(policies: Iterable[PlannedPolicy], grid: Grid) -> Tally:
    """What these policies, all enabled and in scope, make of every situation of the grid."""
    blocked = certain = offered = asked = 0
    for one in policies:
        mask = one.footprint.mask
        if one.demand is Demand.BLOCK:
            blocked |= mask
            continue
        asked |= mask
        if one.demand is Demand.MFA:
            certain |= mask
        elif one.demand is Demand.MFA_OR_OTHER:
            offered |= mask
    blocked |= asked & grid.legacy
    left = grid.everything & ~blocked
    return Tally(mfa=certain & left, open=left & ~certain, offered=offered & left & ~certain)
