"""Why a verdict is what it is: reason codes, deciding policies, and half a sentence for the customer.

Codes are Microsoft's what-if reasons (https://learn.microsoft.com/graph/api/resources/whatifanalysisresult) and,
where those say too little, the project's own (``excluded_group``, ``trusted_location_gap``, …).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analyzers.coverage.demands import Demand
from analyzers.coverage.gaps import only_when
from analyzers.coverage.plan import Plan, PlannedPolicy
from analyzers.coverage.roster import Standing
from analyzers.coverage.scope import Exclusion, ExclusionCode, Signature, exclusion
from analyzers.coverage.verdict import Tally
from analyzers.wording import SHOWN
from pipeline.domain.conditional_access import PolicyState
from pipeline.domain.graph import TenantGraph


class Cause(NamedTuple):
    """One policy's part in the verdict. ``path`` tells an exclusion: policy id, code, and the id that matched."""

    policy_id: str
    codes: tuple[str, ...]
    clause: str
    path: str = ""


class Explanation(NamedTuple):
    reasons: tuple[str, ...]
    policy_ids: tuple[str, ...]
    because: str
    excluded_by: tuple[str, ...]


def explain(
    plan: Plan, who: Signature, standing: Standing, result: Tally, short: Sequence[Cause], graph: TenantGraph
) -> Explanation:
    """The explanation of a verdict below full; ``short`` are the shortfalls of the policies in scope."""
    asking = plan.asking & plan.enabled
    causes = [*short, *_outsiders(plan, who, standing, graph)]
    codes = {code for cause in causes for code in cause.codes}
    if asking & ~(standing.in_scope | standing.excluded | standing.unknown):
        codes.add("users")
    if not asking and not causes:
        codes.add("no_mfa_policy")
    if _break_glass(plan, who, standing):
        codes.add("break_glass_excluded")
    if not result.mfa and not result.offered and _other_control(plan, standing):
        codes.add("control_not_mfa")
    return Explanation(
        reasons=tuple(sorted(codes)),
        policy_ids=tuple(cause.policy_id for cause in causes),
        because=_sentence(causes, only=asking.bit_count() == 1, any_asking=asking != 0),
        excluded_by=tuple(cause.path for cause in causes if cause.path),
    )


def _outsiders(plan: Plan, who: Signature, standing: Standing, graph: TenantGraph) -> list[Cause]:
    """Policies asking for MFA that leave the user out and, where none is in scope, those that are not enabled."""
    asking = plan.asking & plan.enabled
    causes = []
    for one in plan.members(asking & standing.excluded):
        found = exclusion(one.exclude, who)
        if found is not None:
            causes.append(_excluding(one, found, graph))
    if not asking & standing.in_scope:
        causes += [_not_enabled(one) for one in plan.members(plan.asking & ~plan.enabled & standing.in_scope)]
    return causes


def shortfall(one: PlannedPolicy, result: Tally) -> Cause | None:
    """What an enabled policy that asks for MFA leaves open for those in its scope, ``None`` if nothing."""
    if one.outside:
        clause = f"{one.title} asks for MFA only at {only_when(one.policy, one.outside)}"
        return Cause(one.policy.id, one.outside, clause)
    gaps = [gap for gap in one.gaps if gap.where & result.open]
    if not gaps:
        return None
    clauses = " and ".join([gap.clause for gap in gaps if gap.clause])
    return Cause(one.policy.id, tuple([gap.code for gap in gaps]), f"{one.title} {clauses}")


def _excluding(one: PlannedPolicy, found: Exclusion, graph: TenantGraph) -> Cause:
    path = f"{one.policy.id}:{found.code}:{found.via}"
    return Cause(one.policy.id, (found.code.value,), f"{one.title} excludes {excluded_words(found, graph)}", path)


def excluded_words(found: Exclusion, graph: TenantGraph) -> str:
    """What is excluded, by name where it has one."""
    if found.code is ExclusionCode.GROUP:
        group = graph.groups.get(found.via)
        return f'the group "{group.display_name if group is not None and group.display_name else found.via}"'
    if found.code is ExclusionCode.ROLE:
        role = graph.roles.get(found.via)
        return f'the role "{role.display_name if role is not None and role.display_name else found.via}"'
    return "guests" if found.code is ExclusionCode.GUEST else "this user"


def _not_enabled(one: PlannedPolicy) -> Cause:
    """A policy that would ask this user for MFA if it were switched on."""
    if one.policy.state == PolicyState.REPORT_ONLY:
        return Cause(one.policy.id, ("report_only_only",), f"{one.title} only reports")
    return Cause(one.policy.id, ("policyNotEnabled",), f"{one.title} is switched off")


def _break_glass(plan: Plan, who: Signature, standing: Standing) -> bool:
    """A global administrator left out by name or group of every policy that names them: an emergency account."""
    if not who.global_admin or plan.counting & (standing.in_scope | standing.unknown):
        return False
    found = [exclusion(one.exclude, who) for one in plan.members(plan.counting & standing.excluded)]
    deliberate = {ExclusionCode.USER, ExclusionCode.GROUP}
    return bool(found) and all(one is not None and one.code in deliberate for one in found)


def _other_control(plan: Plan, standing: Standing) -> bool:
    """Whether a policy asks for something that is not MFA, so that the user is not simply unprotected."""
    return any(one.demand is Demand.OTHER for one in plan.members(plan.counting & standing.in_scope))


def _sentence(causes: Sequence[Cause], *, only: bool, any_asking: bool) -> str:
    if not causes:
        nobody = "no enabled conditional access policy asks for MFA"
        return "no conditional access policy that asks for MFA includes this user" if any_asking else nobody
    if only and len(causes) == 1:
        return f"the only MFA policy {causes[0].clause}"
    rest = len(causes) - SHOWN
    return "; ".join([cause.clause for cause in causes[:SHOWN]]) + (f"; and {rest} more" if rest > 0 else "")
