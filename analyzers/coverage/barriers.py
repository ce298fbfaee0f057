"""Do a tenant's policies stop its users in certain situations, such as every sign-in with a legacy client?

Which policies stop somebody is the question's to say. Three-valued like everything here: stopped, open, cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from analyzers.coverage.engine import Coverage
from analyzers.coverage.plan import Plan, PlannedPolicy
from analyzers.coverage.scope import Doubt, Signature, doubt, exclusion
from analyzers.wording import examples, name_of
from pipeline.domain.entities import Identity
from pipeline.domain.findings import Evidence

ENABLED_NOT_READ = "whether the account is enabled was not read"
STATE_NOT_READ = Doubt(reason=ENABLED_NOT_READ, input_missing=False)


class Held(NamedTuple):
    """How one kind of user stands before a barrier.

    ``open`` are the situations in which nothing stops them for certain; with a ``doubt`` something may stop them in
    all of these after all. ``by`` is the set of policies that stop them somewhere.
    """

    open: int
    by: int
    doubt: Doubt | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Barrier:
    """The policies of a plan that let nobody in somewhere in ``where``, and those that may; as bit masks."""

    plan: Plan
    where: int
    stopping: int
    unclear: int
    """Those whose conditions or demand cannot be told."""

    def held(self, who: Signature) -> Held:
        """How users of this kind stand before it."""
        standing = self.plan.roster.standing(who)
        by = standing.in_scope & self.stopping
        left = self.where & ~self._stopped(by)
        perhaps = (standing.unknown & self.stopping) | ((standing.unknown | standing.in_scope) & self.unclear)
        if left and perhaps and (perhaps & self.unclear or not left & ~self._stopped(perhaps)):
            return Held(left, by, self._doubt(perhaps, who))
        return Held(left, by)

    def _stopped(self, policies: int) -> int:
        where = 0
        for one in self.plan.members(policies):
            where |= one.footprint.mask
        return where

    def _doubt(self, perhaps: int, who: Signature) -> Doubt | None:
        one = self.plan.members(perhaps)[0]
        unread = self.plan.unread
        return one.doubt or doubt(one.include, who.guest, unread) or doubt(one.exclude, who.guest, unread)


def barrier(plan: Plan, where: int, stops: Callable[[PlannedPolicy], bool]) -> Barrier:
    """The barrier that the enabled policies of a plan are in the situations ``where``.

    ``stops`` says of a policy whether it lets nobody in where it applies.
    """
    stopping = unclear = 0
    for number, one in enumerate(plan.policies):
        if not one.counts or not stops(one):
            continue
        if one.doubt is not None:
            unclear |= 1 << number
        elif one.footprint.mask & where:
            stopping |= 1 << number
    return Barrier(plan=plan, where=where, stopping=stopping, unclear=unclear)


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """How the enabled accounts of a tenant stand before a barrier, each list in the order they were given in."""

    items: int
    left_out: tuple[Identity, ...]
    """Accounts that no policy stops anywhere."""
    partly: tuple[Identity, ...]
    """Accounts that are stopped in some situations only."""
    policy_ids: tuple[str, ...]
    """The policies that stop any enabled account, sorted."""
    excluded_by: tuple[str, ...]
    """Exclusions through which accounts got past, as ``policy id:reason code:id that matched``, sorted."""
    untold: Doubt | None
    """Why it cannot be told of some account, ``None`` if it can of all."""

    @property
    def passed(self) -> bool:
        """Whether somebody is known to get past."""
        return bool(self.left_out or self.partly)

    @property
    def reasons(self) -> tuple[str, ...]:
        if not self.policy_ids:
            return ("no_policy_blocks",)
        found = (("some_situations_open", self.partly), ("some_users_left_out", self.left_out))
        return tuple(code for code, accounts in found if accounts)

    @property
    def evidence(self) -> Evidence:
        """What a finding rests on."""
        return {"policy_ids": list(self.policy_ids), "excluded_by": list(self.excluded_by)}

    @property
    def whom(self) -> str:
        """``for Ada Lovelace (ada@contoso.com), Bob, Eve and others, and in some situations for Carl``."""
        told = (("for", self.left_out), ("in some situations for", self.partly))
        return ", and ".join(f"{how} {examples([name_of(one) for one in found])}" for how, found in told if found)


def survey(accounts: Iterable[Identity], before: Barrier, coverage: Coverage) -> Survey:
    """How those of the accounts that are enabled stand, each kind of user held against the barrier once."""
    present = [one for one in accounts if one.enabled is not False]
    if not before.stopping | before.unclear:
        return _unhindered(present)
    known: dict[Signature, Held] = {}
    past: set[Signature] = set()
    left_out: list[Identity] = []
    partly: list[Identity] = []
    untold: Doubt | None = None
    stopping = 0
    for account in present:
        who = coverage.signature(account)
        held = known.get(who)
        if held is None:
            held = known[who] = before.held(who)
        if account.enabled:
            stopping |= held.by
        if not held.open:
            continue
        if held.doubt is not None or not account.enabled:
            untold = untold or held.doubt or STATE_NOT_READ
            continue
        past.add(who)
        (partly if held.by else left_out).append(account)
    return Survey(
        items=len(present),
        left_out=tuple(left_out),
        partly=tuple(partly),
        policy_ids=tuple(one.policy.id for one in before.plan.members(stopping)),
        excluded_by=_exclusions(past, before),
        untold=untold,
    )


def _unhindered(present: list[Identity]) -> Survey:
    """What a barrier that stops nobody comes to."""
    enabled = tuple(one for one in present if one.enabled)
    untold = STATE_NOT_READ if len(enabled) < len(present) else None
    return Survey(items=len(present), left_out=enabled, partly=(), policy_ids=(), excluded_by=(), untold=untold)


def _exclusions(past: Iterable[Signature], before: Barrier) -> tuple[str, ...]:
    plan = before.plan
    found = set()
    for who in past:
        for one in plan.members(plan.roster.standing(who).excluded & before.stopping):
            out = exclusion(one.exclude, who)
            if out is not None:
                found.add(f"{one.policy.id}:{out.code}:{out.via}")
    return tuple(sorted(found))
