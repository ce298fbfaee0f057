"""The MFA coverage of every user of a tenant, each distinct kind of user evaluated once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzers.coverage.demands import Demand
from analyzers.coverage.explain import Explanation, explain
from analyzers.coverage.plan import Plan, PlannedPolicy, plan
from analyzers.coverage.scope import Doubt, Scope, Signature, Standing, guest_kind, scope
from analyzers.coverage.verdict import Tally, tally
from analyzers.privileged import GLOBAL_ADMINISTRATOR, SECURITY_DEFAULTS_ADMIN_ROLES
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity, PerUserMfa
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import EMPTY, TenantGraph

_ADMIN_ROLES = frozenset(SECURITY_DEFAULTS_ADMIN_ROLES)


@dataclass(frozen=True, kw_only=True, slots=True)
class UserCoverage:
    """The verdict on one kind of user, and its explanation.

    ``because`` is half a sentence; for ``UNKNOWN`` it is the reason. ``excluded_by`` lists the exclusions that
    left the user out, as ``policy id:reason code:id that matched``. ``governed`` is whether any enabled policy has
    the user in scope, ``None`` with ``governed_doubt`` if that cannot be told.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    policy_ids: tuple[str, ...] = ()
    because: str = ""
    excluded_by: tuple[str, ...] = ()
    input_missing: bool = False
    governed: bool | None = None
    governed_doubt: Doubt | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantCoverage:
    """Coverage by identity id, in the order of the ids.

    ``unreadable`` is set when users or policies were not read, so that nothing at all can be told.
    """

    users: Mapping[str, UserCoverage] = field(default_factory=dict)
    unreadable: str | None = None


DISABLED = UserCoverage(
    verdict=Verdict.NOT_APPLICABLE, reasons=("account_disabled",), because="the account is disabled", governed=False
)


def measure(graph: TenantGraph) -> TenantCoverage:
    """The coverage of every user: conditional access, then security defaults and per-user MFA where it gives less."""
    ids = sorted(graph.identities)
    unreadable = graph.unreadable(Resource.USERS, Resource.POLICIES)
    if unreadable is not None:
        unknown = _unknown(Doubt(reason=unreadable, input_missing=True))
        return TenantCoverage(users=dict.fromkeys(ids, unknown), unreadable=unreadable)
    tenant = plan(graph)
    known: dict[Signature, UserCoverage] = {}
    users: dict[str, UserCoverage] = {}
    for key in ids:
        users[key] = _of_user(graph.identities[key], tenant, graph, known)
    return TenantCoverage(users=users)


def measure_one(user: Identity, graph: TenantGraph) -> UserCoverage:
    """The coverage of a single user, computed from scratch; users and policies must have been read."""
    return _of_user(user, plan(graph), graph, {})


def _of_user(user: Identity, tenant: Plan, graph: TenantGraph, known: dict[Signature, UserCoverage]) -> UserCoverage:
    if user.enabled is None:
        return _unknown(Doubt(reason="whether the account is enabled was not read", input_missing=False))
    if not user.enabled:
        return DISABLED
    who = _signature(user, tenant, graph)
    found = known.get(who)
    if found is None:
        found = known[who] = _evaluate(who, tenant, graph)
    return found


def _unknown(doubt: Doubt) -> UserCoverage:
    return UserCoverage(
        verdict=Verdict.UNKNOWN, because=doubt.reason, input_missing=doubt.input_missing, governed_doubt=doubt
    )


def _signature(user: Identity, tenant: Plan, graph: TenantGraph) -> Signature:
    """Groups and roles that were not read completely are left out: they are doubts, not facts."""
    roles = EMPTY if tenant.unread.roles is not None else graph.roles_of.get(user.id, EMPTY)
    groups = EMPTY if tenant.unread.groups is not None else graph.groups_of.get(user.id, EMPTY)
    return Signature(
        named=user.id if user.id in tenant.named_users else "",
        groups=groups & tenant.named_groups,
        roles=roles & tenant.named_roles,
        guest=guest_kind(user),
        admin=not roles.isdisjoint(_ADMIN_ROLES),
        global_admin=GLOBAL_ADMINISTRATOR in roles,
        per_user_mfa=user.per_user_mfa is PerUserMfa.ENFORCED,
    )


def _evaluate(who: Signature, tenant: Plan, graph: TenantGraph) -> UserCoverage:
    scopes = [scope(one.include, one.exclude, who, tenant.unread) for one in tenant.policies]
    certain = [
        one
        for one, found in zip(tenant.policies, scopes, strict=True)
        if one.counts and one.doubt is None and found.standing is Standing.IN_SCOPE
    ]
    result = tally(certain, tenant.grid)
    if result.verdict in {Verdict.NOT_APPLICABLE, Verdict.FULL}:
        settled = _closed(result, certain)
    else:
        settled = _beyond_policies(who, tenant, graph, explain(tenant, who, scopes, result, graph), result)
    doubt = _deciding_doubt(tenant, scopes, settled)
    governed, governed_doubt = _governed(tenant.policies, scopes)
    base = settled if doubt is None else _unknown(doubt)
    return UserCoverage(
        verdict=base.verdict,
        reasons=base.reasons,
        policy_ids=base.policy_ids,
        because=base.because,
        excluded_by=base.excluded_by,
        input_missing=base.input_missing,
        governed=governed,
        governed_doubt=governed_doubt,
    )


def _closed(result: Tally, policies: list[PlannedPolicy]) -> UserCoverage:
    """Nothing is open: MFA everywhere it is let in, or blocked everywhere."""
    if result.verdict is Verdict.FULL:
        deciding = tuple(
            one.policy.id for one in policies if one.footprint.mask & result.mfa and one.demand is Demand.MFA
        )
        return UserCoverage(verdict=Verdict.FULL, policy_ids=deciding, because="policies ask for MFA at every sign-in")
    deciding = tuple(one.policy.id for one in policies if one.demand is Demand.BLOCK)
    return UserCoverage(
        verdict=Verdict.NOT_APPLICABLE, reasons=("blocked",), policy_ids=deciding, because="every sign-in is blocked"
    )


def _beyond_policies(who: Signature, tenant: Plan, graph: TenantGraph, why: Explanation, result: Tally) -> UserCoverage:
    """Policies give less than full: per-user MFA, then security defaults, then what policies do give.

    https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates and
    https://learn.microsoft.com/entra/fundamentals/security-defaults. A state of per-user MFA that was not read
    counts as not enforced: few tenants let it be read, and MFA that is not seen must not hide a gap.
    """
    if who.per_user_mfa:
        return UserCoverage(verdict=Verdict.FULL, reasons=("per_user_mfa",), because="per-user MFA is enforced")
    unread = graph.unreadable(Resource.SECURITY_DEFAULTS)
    if unread is not None:
        return _unknown(Doubt(reason=unread, input_missing=True))
    if graph.security_defaults is not None and graph.security_defaults.enabled:
        return _by_security_defaults(who, tenant)
    return UserCoverage(
        verdict=result.verdict,
        reasons=why.reasons,
        policy_ids=why.policy_ids,
        because=why.because,
        excluded_by=why.excluded_by,
    )


def _by_security_defaults(who: Signature, tenant: Plan) -> UserCoverage:
    if tenant.unread.roles is not None:
        return _unknown(Doubt(reason=tenant.unread.roles, input_missing=True))
    if who.admin:
        because = "security defaults ask administrators for MFA at every sign-in"
        return UserCoverage(verdict=Verdict.FULL, reasons=("security_defaults",), because=because)
    because = "security defaults ask for MFA only when Microsoft finds a sign-in risky"
    return UserCoverage(verdict=Verdict.PARTIAL, reasons=("security_defaults_adaptive",), because=because)


def _deciding_doubt(tenant: Plan, scopes: list[Scope], settled: UserCoverage) -> Doubt | None:
    """A policy that may or may not apply and whose applying could change the verdict.

    Full stays full whatever further policy demands something; only a further block could change it.
    """
    for one, found in zip(tenant.policies, scopes, strict=True):
        if not one.counts or (settled.verdict is Verdict.FULL and one.demand is not Demand.BLOCK):
            continue
        doubt = found.doubt if found.doubt is not None else one.doubt
        if doubt is not None and found.standing in {Standing.IN_SCOPE, Standing.UNKNOWN}:
            return doubt
    return None


def _governed(policies: tuple[PlannedPolicy, ...], scopes: list[Scope]) -> tuple[bool | None, Doubt | None]:
    """Whether some enabled policy has the user in scope."""
    doubt = None
    for one, found in zip(policies, scopes, strict=True):
        if one.enabled and found.standing is Standing.IN_SCOPE:
            return True, None
        if one.enabled and found.standing is Standing.UNKNOWN:
            doubt = found.doubt
    return (None, doubt) if doubt is not None else (False, None)
