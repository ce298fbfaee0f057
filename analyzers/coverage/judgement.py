"""The verdict on one kind of user: policies first, then per-user MFA and security defaults, then doubts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from analyzers.coverage.demands import Demand
from analyzers.coverage.explain import Cause, explain, shortfall
from analyzers.coverage.plan import Plan, PlannedPolicy
from analyzers.coverage.roster import Standing
from analyzers.coverage.scope import Doubt, Signature, doubt
from analyzers.coverage.verdict import Tally, tally
from pipeline.domain.capture import Resource
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import TenantGraph


@dataclass(frozen=True, kw_only=True, slots=True)
class UserCoverage:
    """The verdict on one kind of user, and its explanation.

    ``because`` is half a sentence; for ``UNKNOWN`` it is the reason, and ``input_missing`` says whether a whole
    resource was not read. ``excluded_by`` lists the exclusions that left the user out, as ``policy id:reason
    code:id that matched``. ``governed`` is whether any enabled policy has the user in scope, ``None`` with
    ``governed_doubt`` if that cannot be told.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    policy_ids: tuple[str, ...] = ()
    because: str = ""
    excluded_by: tuple[str, ...] = ()
    input_missing: bool = False
    governed: bool | None = True
    governed_doubt: Doubt | None = None


class Outcome(NamedTuple):
    """What a set of policies in scope gives whoever the user is: those that count for certain, and the result."""

    certain: list[PlannedPolicy]
    result: Tally
    short: tuple[Cause, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Memo:
    """Verdicts known so far in this run: by signature, and what they rest on by set of policies in scope."""

    users: dict[Signature, UserCoverage] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    shortfalls: dict[int, dict[str, Cause | None]] = field(default_factory=dict)
    """By the situations left open, then by policy id."""


_BLOCKED = UserCoverage(verdict=Verdict.NOT_APPLICABLE, reasons=("blocked",), because="every sign-in is blocked")
DISABLED = UserCoverage(
    verdict=Verdict.NOT_APPLICABLE, reasons=("account_disabled",), because="the account is disabled", governed=False
)
_PER_USER = UserCoverage(verdict=Verdict.FULL, reasons=("per_user_mfa",), because="per-user MFA is enforced")
_DEFAULTS_ADMIN = UserCoverage(
    verdict=Verdict.FULL,
    reasons=("security_defaults",),
    because="security defaults ask administrators for MFA at every sign-in",
)
_DEFAULTS = UserCoverage(
    verdict=Verdict.PARTIAL,
    reasons=("security_defaults_adaptive",),
    because="security defaults ask for MFA only when Microsoft finds it necessary",
)


def unknown(why: Doubt) -> UserCoverage:
    """Nothing can be told of the user, for this reason."""
    return UserCoverage(
        verdict=Verdict.UNKNOWN,
        reasons=("notEnoughInformation",),
        because=why.reason,
        input_missing=why.input_missing,
        governed=None,
        governed_doubt=why,
    )


def evaluate(who: Signature, tenant: Plan, graph: TenantGraph, memo: Memo) -> UserCoverage:
    """The coverage of every enabled user with this signature; ``memo`` is only ever added to."""
    standing = tenant.roster.standing(who)
    deciding = standing.in_scope & (tenant.counting | tenant.asking)
    outcome = memo.outcomes.get(deciding)
    if outcome is None:
        outcome = memo.outcomes[deciding] = _outcome(deciding, tenant, memo)
    settled = _settle(who, tenant, graph, standing, outcome)
    why = _deciding_doubt(who, tenant, standing, settled)
    if why is not None:
        settled = unknown(why)
    if tenant.enabled & standing.in_scope:
        return settled if settled.governed else replace(settled, governed=True, governed_doubt=None)
    unsure = tenant.enabled & standing.unknown
    if unsure:
        return replace(settled, governed=None, governed_doubt=_scope_doubt(tenant.members(unsure)[0], who, tenant))
    return replace(settled, governed=False, governed_doubt=None)


def _outcome(in_scope: int, tenant: Plan, memo: Memo) -> Outcome:
    certain = tenant.members(tenant.counting & in_scope & ~tenant.doubtful)
    result = tally(certain, tenant.grid)
    if not result.open:
        return Outcome(certain, result, ())
    known = memo.shortfalls.setdefault(result.open, {})
    causes = []
    for one in tenant.members(tenant.asking & tenant.enabled & in_scope):
        if one.policy.id not in known:
            known[one.policy.id] = shortfall(one, result)
        cause = known[one.policy.id]
        if cause is not None:
            causes.append(cause)
    return Outcome(certain, result, tuple(causes))


def _settle(who: Signature, tenant: Plan, graph: TenantGraph, standing: Standing, outcome: Outcome) -> UserCoverage:
    """The verdict if what is certain were all there is."""
    certain, result = outcome.certain, outcome.result
    if result.verdict is Verdict.FULL:
        return _full(certain, result)
    if result.verdict is Verdict.NOT_APPLICABLE:
        blocking = tuple(one.policy.id for one in certain if one.demand is Demand.BLOCK)
        return replace(_BLOCKED, policy_ids=blocking)
    beyond = beyond_policies(who, tenant, graph)
    if beyond is not None:
        return beyond
    why = explain(tenant, who, standing, result, outcome.short, graph)
    return UserCoverage(
        verdict=result.verdict,
        reasons=why.reasons,
        policy_ids=why.policy_ids,
        because=why.because,
        excluded_by=why.excluded_by,
    )


def _full(certain: list[PlannedPolicy], result: Tally) -> UserCoverage:
    deciding = (one for one in certain if one.demand is Demand.MFA and one.footprint.mask & result.mfa)
    return UserCoverage(
        verdict=Verdict.FULL,
        policy_ids=tuple(one.policy.id for one in deciding),
        because="policies ask for MFA at every sign-in",
    )


def beyond_policies(who: Signature, tenant: Plan, graph: TenantGraph) -> UserCoverage | None:
    """What per-user MFA, then security defaults, give where policies give less than full.

    https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates and
    https://learn.microsoft.com/entra/fundamentals/security-defaults. A state of per-user MFA that was not read
    counts as not enforced: few tenants let it be read, and MFA that nobody saw must not hide a gap.
    """
    if who.per_user_mfa:
        return _PER_USER
    unread = graph.unreadable(Resource.SECURITY_DEFAULTS)
    if unread is not None:
        return unknown(Doubt(reason=unread, input_missing=True))
    if graph.security_defaults is None or not graph.security_defaults.enabled:
        return None
    if tenant.unread.roles is not None:
        return unknown(Doubt(reason=tenant.unread.roles, input_missing=True))
    return _DEFAULTS_ADMIN if who.admin else _DEFAULTS


def _deciding_doubt(who: Signature, tenant: Plan, standing: Standing, settled: UserCoverage) -> Doubt | None:
    """Why a policy that could change the verdict may or may not apply.

    Full stays full whatever further policy demands something; only a further block could change it.
    """
    unsure = tenant.counting & (standing.unknown | (standing.in_scope & tenant.doubtful))
    if settled.verdict is Verdict.FULL:
        unsure &= tenant.blocking
    if not unsure:
        return None
    one = tenant.members(unsure)[0]
    return one.doubt or _scope_doubt(one, who, tenant)


def _scope_doubt(one: PlannedPolicy, who: Signature, tenant: Plan) -> Doubt | None:
    return doubt(one.include, who.guest, tenant.unread) or doubt(one.exclude, who.guest, tenant.unread)
