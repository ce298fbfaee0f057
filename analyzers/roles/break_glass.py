"""Could every emergency access account be used in an emergency? Raises ``break_glass_locked_out``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from analyzers.coverage.barriers import ENABLED_NOT_READ, Barrier, Held, barrier
from analyzers.coverage.demands import Demand, needs_managed_device
from analyzers.coverage.plan import Plan, PlannedPolicy
from analyzers.coverage.scope import EVERYONE, ExclusionCode, exclusion
from analyzers.privileged import GLOBAL_ADMINISTRATOR, ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.graph import EMPTY


class Problem(NamedTuple):
    """Why an account is of no use; ``policy_ids`` are those that keep it out."""

    code: str
    clause: str
    policy_ids: tuple[str, ...] = ()


class Barriers(NamedTuple):
    """What blocks a sign-in whatever it comes from, and what stops one from a device that nobody manages."""

    blocked: Barrier
    unmanaged: Barrier


def judge(case: Case) -> Judgement:
    """A finding for every emergency account that is locked out.

    These are the accounts the tenant names; where it names none, the global administrators whom an enabled policy that
    asks all users for MFA excludes by name or group, as Microsoft advises for emergency accounts. Of these a disabled
    one is taken for one that was retired.
    """
    barriers = _barriers(case.facts.coverage.plan)
    return _judge_named(case, barriers) if case.break_glass else _judge_spared(case, barriers)


def _judge_spared(case: Case, barriers: Barriers) -> Judgement:
    """Without the groups, a locked-out global administrator may or may not be an emergency account."""
    findings: list[Finding] = []
    untold: list[Untold] = []
    items, incomplete = 0, ""
    unread = case.facts.coverage.plan.unread.groups
    for user in _global_admins(case):
        spared = _left_out_on_purpose(case, user)
        if spared is False or user.enabled is False:
            continue
        items += 1
        problems, doubt = _problems(case, user, barriers)
        if spared is None and (problems or doubt):
            untold.append(Untold(external_id=user.id, reason=unread or ""))
            incomplete = unread or ""
        elif problems:
            findings.append(_finding(case, user.id, name_of(user), problems))
        elif doubt:
            untold.append(Untold(external_id=user.id, reason=doubt))
    return Judgement(items=items, findings=findings, untold=untold, incomplete=incomplete)


def _judge_named(case: Case, barriers: Barriers) -> Judgement:
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key in sorted(case.break_glass):
        user = case.graph.identities.get(key)
        if user is None:
            gone = Problem("account_deleted", "it does not exist any more")
            findings.append(_finding(case, key, key, [gone]))
            continue
        problems, doubt = _problems(case, user, barriers)
        if GLOBAL_ADMINISTRATOR not in case.graph.roles_of.get(key, EMPTY):
            problems.append(Problem("not_global_admin", "it does not hold the role Global Administrator"))
        if problems:
            findings.append(_finding(case, key, name_of(user), problems))
        elif doubt:
            untold.append(Untold(external_id=key, reason=doubt))
    return Judgement(items=len(case.break_glass), findings=findings, untold=untold)


def _barriers(plan: Plan) -> Barriers:
    """Over the situations of modern clients, since an emergency sign-in is one in a browser."""
    where = plan.grid.everything & ~plan.grid.legacy
    return Barriers(
        blocked=barrier(plan, where, lambda one: one.demand is Demand.BLOCK and one.policy.device_filter is None),
        unmanaged=barrier(plan, where, _keeps_unmanaged_out),
    )


def _keeps_unmanaged_out(one: PlannedPolicy) -> bool:
    return one.demand is Demand.BLOCK or (one.policy.grant is not None and needs_managed_device(one.policy.grant))


def _global_admins(case: Case) -> Iterator[Identity]:
    for key, roles in sorted(case.graph.roles_of.items()):
        if GLOBAL_ADMINISTRATOR in roles and key in case.users:
            yield case.users[key]


def _left_out_on_purpose(case: Case, user: Identity) -> bool | None:
    """Whether an MFA policy that includes everybody excludes the user by name or group; ``None`` without the groups."""
    plan = case.facts.coverage.plan
    who = case.facts.coverage.signature(user)
    deliberate = {ExclusionCode.USER, ExclusionCode.GROUP}
    for_all = [one for one in plan.members(plan.enabled & plan.asking) if EVERYONE in one.include.users]
    found = [exclusion(one.exclude, who) for one in for_all]
    if any(one is not None and one.code in deliberate for one in found):
        return True
    unclear = plan.unread.groups is not None and any(one.exclude.groups for one in for_all)
    return None if unclear else False


def _problems(case: Case, user: Identity, barriers: Barriers) -> tuple[list[Problem], str]:
    """Why the account is of no use, and why some of that cannot be told."""
    if user.enabled is False:
        return [Problem("account_disabled", "it is disabled")], ""
    who = case.facts.coverage.signature(user)
    blocked, unmanaged = barriers.blocked.held(who), barriers.unmanaged.held(who)
    if not blocked.open:
        return [_shut("blocked", "every sign-in is blocked by", blocked, barriers.blocked.plan)], ""
    if not unmanaged.open:
        clause = "only a device that the tenant manages gets past"
        return [_shut("device_required", clause, unmanaged, barriers.unmanaged.plan)], ""
    if unmanaged.doubt is not None:
        return [], unmanaged.doubt.reason
    return [], ENABLED_NOT_READ if user.enabled is None else ""


def _shut(code: str, clause: str, held: Held, plan: Plan) -> Problem:
    policies = plan.members(held.by)
    titles = listed([one.title for one in policies])
    return Problem(code, f"{clause} {titles}", tuple(one.policy.id for one in policies))


def _finding(case: Case, key: str, name: str, problems: list[Problem]) -> Finding:
    clauses = " and ".join(one.clause for one in problems)
    return case.about(
        EntityType.IDENTITIES,
        key,
        Severity.HIGH,
        f"The emergency access account {name} could not be used in an emergency: {clauses}.",
        reasons=tuple(sorted(one.code for one in problems)),
        evidence={"policy_ids": sorted({policy for one in problems for policy in one.policy_ids})},
    )


RULE = Rule(
    alert_type=AlertType.BREAK_GLASS_LOCKED_OUT,
    title="An emergency access account could not be used in an emergency.",
    severity="high",
    inputs=(Resource.USERS, Resource.POLICIES, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS, Resource.NAMED_LOCATIONS, Resource.AUTHENTICATION_STRENGTHS),
    remediation=(
        "Enable the account, assign it the role Global Administrator permanently, and exclude it from the policies the "
        "alert names. If it is no emergency account any more, end its exemption with `mspbyte rules unexempt`."
    ),
    source="https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access",
    judge=judge,
)
