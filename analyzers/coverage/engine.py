"""The MFA coverage of every user of a tenant, each distinct kind of user evaluated once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzers.coverage.judgement import DISABLED, Memo, UserCoverage, evaluate, unknown
from analyzers.coverage.plan import Plan, plan
from analyzers.coverage.scope import Doubt, Signature, guest_kind
from analyzers.privileged import GLOBAL_ADMINISTRATOR, SECURITY_DEFAULTS_ADMIN_ROLES
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity, PerUserMfa
from pipeline.domain.graph import EMPTY, TenantGraph

_ADMIN_ROLES = frozenset(SECURITY_DEFAULTS_ADMIN_ROLES)


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantCoverage:
    """Coverage by identity id, in the order of the ids.

    ``unreadable`` is set when users or policies were not read, so that nothing at all can be told.
    """

    users: Mapping[str, UserCoverage] = field(default_factory=dict)
    unreadable: str | None = None


def measure(graph: TenantGraph) -> TenantCoverage:
    """The coverage of every user: conditional access, then per-user MFA and security defaults where it gives less."""
    ids = sorted(graph.identities)
    unreadable = graph.unreadable(Resource.USERS, Resource.POLICIES)
    if unreadable is not None:
        nothing = unknown(Doubt(reason=unreadable, input_missing=True))
        return TenantCoverage(users=dict.fromkeys(ids, nothing), unreadable=unreadable)
    tenant = plan(graph)
    memo = Memo()
    return TenantCoverage(users={key: _of_user(graph.identities[key], tenant, graph, memo) for key in ids})


def measure_one(user: Identity, graph: TenantGraph) -> UserCoverage:
    """The coverage of a single user, computed from scratch; users and policies must have been read."""
    return _of_user(user, plan(graph), graph, Memo())


def _of_user(user: Identity, tenant: Plan, graph: TenantGraph, memo: Memo) -> UserCoverage:
    if user.enabled is None:
        return unknown(Doubt(reason="whether the account is enabled was not read", input_missing=False))
    if not user.enabled:
        return DISABLED
    who = signature(user, tenant, graph)
    found = memo.users.get(who)
    if found is None:
        found = memo.users[who] = evaluate(who, tenant, graph, memo)
    return found


def signature(user: Identity, tenant: Plan, graph: TenantGraph) -> Signature:
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
