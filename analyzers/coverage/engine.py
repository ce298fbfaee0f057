"""The MFA coverage of every user of a tenant, each distinct kind of user evaluated once."""

from __future__ import annotations

from functools import cached_property

from analyzers.coverage.judgement import DISABLED, Memo, UserCoverage, evaluate, unknown
from analyzers.coverage.plan import Plan, plan
from analyzers.coverage.scope import Doubt, Signature, guest_kind
from analyzers.privileged import GLOBAL_ADMINISTRATOR, SECURITY_DEFAULTS_ADMIN_ROLES
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity, PerUserMfa
from pipeline.domain.graph import EMPTY, TenantGraph

REFERRED_TO = (
    Resource.GROUP_MEMBERS,
    Resource.NAMED_LOCATIONS,
    Resource.AUTHENTICATION_STRENGTHS,
    Resource.SECURITY_DEFAULTS,
)
"""What a tenant's policies may refer to. If one of it was not read, users it cannot matter to still get a verdict."""

_ADMIN_ROLES = frozenset(SECURITY_DEFAULTS_ADMIN_ROLES)


class Coverage:
    """The coverage of a tenant's users, each told when asked for and each distinct kind of user evaluated once.

    ``unreadable`` is set when users or policies were not read, so that nothing at all can be told.
    """

    def __init__(self, graph: TenantGraph) -> None:
        self.graph = graph
        self.unreadable = graph.unreadable(Resource.USERS, Resource.POLICIES)
        self._memo = Memo()
        self._signatures: dict[str, Signature] = {}
        self._kinds: dict[Signature, Signature] = {}

    @cached_property
    def plan(self) -> Plan:
        """The tenant's policies made ready; only where they were read."""
        return plan(self.graph)

    def of(self, user: Identity) -> UserCoverage:
        """Conditional access, then per-user MFA and security defaults where it gives less than full."""
        if self.unreadable is not None:
            return unknown(Doubt(reason=self.unreadable, input_missing=True))
        if user.enabled is None:
            return unknown(Doubt(reason="whether the account is enabled was not read", input_missing=False))
        if not user.enabled:
            return DISABLED
        who = self.signature(user)
        found = self._memo.users.get(who)
        if found is None:
            found = self._memo.users[who] = evaluate(who, self.plan, self.graph, self._memo)
        return found

    def signature(self, user: Identity) -> Signature:
        """All that matters of the user to policies, in whatever circumstances; equal ones are one value."""
        found = self._signatures.get(user.id)
        if found is None:
            made = signature(user, self.plan, self.graph)
            found = self._signatures[user.id] = self._kinds.setdefault(made, made)
        return found


def measure(graph: TenantGraph) -> dict[str, UserCoverage]:
    """The coverage of every user by identity id, in the order of the ids."""
    coverage = Coverage(graph)
    return {key: coverage.of(graph.identities[key]) for key in sorted(graph.identities)}


def measure_one(user: Identity, graph: TenantGraph) -> UserCoverage:
    """The coverage of a single user, computed from scratch."""
    return Coverage(graph).of(user)


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
