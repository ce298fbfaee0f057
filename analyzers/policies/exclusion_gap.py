"""What do policies leave out that no other policy looks after? Raises ``ca_exclusion_gap``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzers.coverage import Doubt
from analyzers.coverage.plan import PlannedPolicy
from analyzers.coverage.scope import EVERYONE, Named
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind

Ids = Callable[[Named], frozenset[str]]
"""What a side of a policy names of one kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Excluded:
    """An object that enabled policies exclude: which these are, and the accounts it stands for.

    ``unread`` is why the accounts are not known, ``None`` if they are.
    """

    entity_type: EntityType
    id: str
    name: str
    reason: str
    policies: Sequence[PlannedPolicy]
    accounts: Sequence[Identity]
    unread: str | None = None


def judge(case: Case) -> Judgement:
    """A finding for every excluded user, group and role that no other enabled policy has in scope.

    A group or role is one only if none of the policies concerns it as such (all users, or itself, included and not
    excluded), and an enabled account in it is in no policy's scope; so a group nested in one that a policy includes is
    none. Emergency accounts in it don't count. Excluded kinds of guest and objects that are gone are left alone.
    """
    findings: list[Finding] = []
    untold: list[Untold] = []
    items, incomplete = 0, ""
    for one in (*_users(case), *_groups(case), *_roles(case)):
        items += 1
        if one.unread is not None:
            untold.append(Untold(external_id=one.id, reason=one.unread))
            incomplete = incomplete or one.unread
            continue
        gap, doubt = _gap(case, one.accounts)
        if gap:
            findings.append(_finding(case, one))
        elif doubt is not None:
            untold.append(Untold(external_id=one.id, reason=doubt.reason))
            incomplete = incomplete or (doubt.reason if doubt.input_missing else "")
    return Judgement(items=items, findings=findings, untold=untold, incomplete=incomplete)


def _gap(case: Case, accounts: Iterable[Identity]) -> tuple[bool, Doubt | None]:
    """Whether an enabled account is in no enabled policy's scope, else why that cannot be told of one."""
    doubt = None
    for account in accounts:
        if account.enabled is False:
            continue
        covered = case.facts.coverage.of(account)
        if covered.governed is False:
            return True, None
        doubt = doubt or covered.governed_doubt
    return False, doubt


def _users(case: Case) -> Iterator[Excluded]:
    for key, policies in _excluding(case, _users_on).items():
        user = case.graph.identities.get(key)
        if user is not None:
            yield Excluded(
                entity_type=EntityType.IDENTITIES,
                id=key,
                name=name_of(user),
                reason="excluded_user",
                policies=policies,
                accounts=[user],
            )


def _groups(case: Case) -> Iterator[Excluded]:
    excluding = _excluding(case, _groups_on)
    unread = case.facts.coverage.plan.unread.groups
    members = _accounts(case, case.graph.groups_of, _uncovered(case, _groups_on, excluding))
    for key, policies in excluding.items():
        group = case.graph.groups.get(key)
        if group is not None or unread is not None:
            yield Excluded(
                entity_type=EntityType.GROUPS,
                id=key,
                name=f'The group "{group.display_name if group is not None and group.display_name else key}"',
                reason="excluded_group",
                policies=policies,
                accounts=members[key],
                unread=unread,
            )


def _roles(case: Case) -> Iterator[Excluded]:
    excluding = _excluding(case, _roles_on)
    unread = case.facts.coverage.plan.unread.roles
    holders = _accounts(case, case.graph.roles_of, _uncovered(case, _roles_on, excluding))
    for key, policies in excluding.items():
        role = case.graph.roles.get(key)
        yield Excluded(
            entity_type=EntityType.ROLES,
            id=key,
            name=f'The role "{role.display_name if role is not None and role.display_name else key}"',
            reason="excluded_role",
            policies=policies,
            accounts=holders[key],
            unread=unread,
        )


def _users_on(side: Named) -> frozenset[str]:
    return side.users


def _groups_on(side: Named) -> frozenset[str]:
    return side.groups


def _roles_on(side: Named) -> frozenset[str]:
    return side.roles


def _enabled(case: Case) -> list[PlannedPolicy]:
    plan = case.facts.coverage.plan
    return plan.members(plan.enabled)


def _excluding(case: Case, ids: Ids) -> Mapping[str, Sequence[PlannedPolicy]]:
    """What enabled policies exclude of one kind, in the order of the ids, and which policies these are."""
    found: defaultdict[str, list[PlannedPolicy]] = defaultdict(list)
    for one in _enabled(case):
        for key in ids(one.exclude):
            found[key].append(one)
    return {key: found[key] for key in sorted(found)}


def _uncovered(case: Case, ids: Ids, keys: Iterable[str]) -> frozenset[str]:
    """Those of the groups or roles that no enabled policy includes as such without excluding them."""
    enabled = _enabled(case)
    return frozenset(key for key in keys if not any(_concerns(one, ids, key) for one in enabled))


def _concerns(one: PlannedPolicy, ids: Ids, key: str) -> bool:
    included = EVERYONE in one.include.users or key in ids(one.include)
    return included and EVERYONE not in one.exclude.users and key not in ids(one.exclude)


def _accounts(
    case: Case, belongs_to: Mapping[str, frozenset[str]], wanted: frozenset[str]
) -> defaultdict[str, list[Identity]]:
    """The accounts in each of the wanted groups or roles, the emergency accounts left out."""
    found: defaultdict[str, list[Identity]] = defaultdict(list)
    if not wanted:
        return found
    for account, parents in belongs_to.items():
        if account in case.break_glass or wanted.isdisjoint(parents):
            continue
        for parent in wanted & parents:
            found[parent].append(case.graph.identities[account])
    return found


def _finding(case: Case, one: Excluded) -> Finding:
    titles = listed([policy.title for policy in one.policies])
    return case.about(
        one.entity_type,
        one.id,
        Severity.MEDIUM,
        f"{one.name} is excluded from {titles}, and no other enabled conditional access policy applies instead.",
        reasons=(one.reason,),
        evidence={"policy_ids": [policy.policy.id for policy in one.policies]},
    )


RULE = Rule(
    alert_type=AlertType.CA_EXCLUSION_GAP,
    title="A user, group or role that a policy excludes is in the scope of no other enabled policy.",
    severity="medium",
    about=frozenset({EntityType.IDENTITIES, EntityType.GROUPS, EntityType.ROLES}),
    inputs=(Resource.USERS, Resource.POLICIES),
    optional_inputs=(*ROLES, Resource.GROUP_MEMBERS),
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    remediation=(
        "Drop the exclusion if it is not needed any more; otherwise add a policy for what is excluded that asks for "
        "something else, such as sign-ins from a trusted location. An emergency account is named with `mspbyte rules "
        "exempt TENANT --break-glass UPN` instead."
    ),
    source="https://learn.microsoft.com/entra/id-governance/conditional-access-exclusion",
    judge=judge,
)
