"""Why a verdict is what it is: reason codes, deciding policies, and half a sentence for the customer.

Codes are Microsoft's what-if reasons (https://learn.microsoft.com/graph/api/resources/whatifanalysisresult) and,
where those say too little, the project's own (``excluded_group``, ``trusted_location_gap``, …).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.coverage.demands import Demand
from analyzers.coverage.plan import Plan, PlannedPolicy
from analyzers.coverage.scope import Scope, Signature, Standing
from analyzers.coverage.situations import APPLICATION, CLIENT_APPS, DEVICE_PLATFORM, LOCATION
from analyzers.coverage.verdict import Tally
from pipeline.domain.entities import IncludeExclude, PolicyState
from pipeline.domain.graph import TenantGraph

SHOWN = 3
"""How many causes a sentence names before it only counts the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One policy's part in the verdict. ``path`` tells an exclusion: policy id, kind, and the id that matched."""

    policy_id: str
    codes: tuple[str, ...]
    clause: str
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    reasons: tuple[str, ...]
    policy_ids: tuple[str, ...]
    because: str
    excluded_by: tuple[str, ...] = ()


def explain(plan: Plan, who: Signature, scopes: Sequence[Scope], result: Tally, graph: TenantGraph) -> Explanation:
    """The explanation of a verdict below full. ``scopes`` stand in the order of ``plan.policies``."""
    pairs = list(zip(plan.policies, scopes, strict=True))
    asking = [(one, scope) for one, scope in pairs if one.asks_mfa]
    enabled = [(one, scope) for one, scope in asking if one.enabled]
    causes = [cause for one, scope in enabled if (cause := _cause(one, scope, plan, result, graph)) is not None]
    if not any(scope.standing is Standing.IN_SCOPE for _, scope in enabled):
        causes += [cause for one, scope in asking if (cause := _not_enabled(one, scope)) is not None]
    codes = {code for cause in causes for code in cause.codes}
    if not asking:
        codes.add("no_mfa_policy")
    if _break_glass(who, pairs):
        codes.add("break_glass_excluded")
    codes |= _other_control(pairs) if not result.mfa and not result.offered else set()
    return Explanation(
        reasons=tuple(sorted(codes)),
        policy_ids=tuple(cause.policy_id for cause in causes),
        because=_sentence(causes, only=len(enabled) == 1),
        excluded_by=tuple(cause.path for cause in causes if cause.path),
    )


def _cause(one: PlannedPolicy, scope: Scope, plan: Plan, result: Tally, graph: TenantGraph) -> Cause | None:
    """The part of an enabled policy that asks for MFA, ``None`` if it leaves nothing open."""
    name, key = f'"{one.policy.display_name or one.policy.id}"', one.policy.id
    if scope.standing is not Standing.IN_SCOPE:
        clause = f"{name} {_left_out(scope, graph)}"
        path = f"{key}:{scope.standing.value}:{scope.via}" if scope.standing.excluded else ""
        return Cause(policy_id=key, codes=(scope.standing.value,), clause=clause, path=path)
    if one.outside:
        return Cause(policy_id=key, codes=one.outside, clause=f"{name} asks for MFA only {_only_when(one)}")
    gaps = _gaps(one, plan, result)
    if one.demand is Demand.MFA_OR_OTHER and one.footprint.mask & result.open:
        gaps = [("or_alternative_not_mfa", "accepts something else instead of MFA"), *gaps]
    if not gaps:
        return None
    clauses = [_wording(one, code, clause, graph) for code, clause in gaps]
    wording = " and ".join(dict.fromkeys(clause for clause in clauses if clause))
    return Cause(policy_id=key, codes=tuple(code for code, _ in gaps), clause=f"{name} {wording}")


def _gaps(one: PlannedPolicy, plan: Plan, result: Tally) -> list[tuple[str, str]]:
    """The axes on which the policy's conditions leave open situations out, with the more telling codes."""
    gaps: list[tuple[str, str]] = []
    for code, allowed in one.footprint.by_axis:
        missed = result.open & ~allowed
        if missed:
            gaps.append((code, ""))
        if code == LOCATION and missed & plan.grid.trusted:
            gaps.append(("trusted_location_gap", ""))
        if code == CLIENT_APPS and missed & plan.grid.legacy:
            gaps.append(("legacy_client_open", "leaves legacy clients open"))
    return gaps


def _wording(one: PlannedPolicy, code: str, clause: str, graph: TenantGraph) -> str:
    policy = one.policy
    if code == APPLICATION:
        return _limits("app", IncludeExclude(include=policy.applications.include, exclude=policy.applications.exclude))
    if code == CLIENT_APPS:
        return f"covers only the client apps {', '.join(policy.client_app_types)}"
    if code == DEVICE_PLATFORM:
        return _limits("platform", policy.platforms)
    if code == LOCATION:
        return _limits("location", _named(policy.locations, graph))
    return clause


def _named(places: IncludeExclude, graph: TenantGraph) -> IncludeExclude:
    def names(listed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(graph.named_locations[key].display_name if key in graph.named_locations else key for key in listed)

    return IncludeExclude(include=names(places.include), exclude=names(places.exclude))


def _limits(noun: str, condition: IncludeExclude) -> str:
    if condition.exclude == ("AllTrusted",):
        return "excludes trusted locations"
    listed = [value for value in condition.include if value not in {"All", "all"}]
    only = f"covers only the {noun}s {_few(listed)}" if listed else ""
    but = f"excludes the {noun}s {_few(list(condition.exclude))}" if condition.exclude else ""
    return " and ".join(part for part in (only, but) if part)


def _few(values: list[str]) -> str:
    rest = len(values) - SHOWN
    return ", ".join(values[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


_CONDITIONS = {
    "signInRisk": "at a certain sign-in risk",
    "userRisk": "at a certain user risk",
    "insiderRisk": "at a certain insider risk",
    "authenticationFlow": "in certain authentication flows",
    "devices": "on devices its filter selects",
}


def _only_when(one: PlannedPolicy) -> str:
    policy = one.policy
    levels = {"signInRisk": policy.sign_in_risk_levels, "userRisk": policy.user_risk_levels}
    risks = {"signInRisk": "sign-in risk", "userRisk": "user risk"}
    return " and ".join(
        f"at {' or '.join(levels[code])} {risks[code]}" if code in levels else _CONDITIONS[code] for code in one.outside
    )


def _left_out(scope: Scope, graph: TenantGraph) -> str:
    if scope.standing is Standing.EXCLUDED_USER:
        return "excludes this user"
    if scope.standing is Standing.EXCLUDED_GROUP:
        group = graph.groups.get(scope.via)
        return f'excludes the group "{group.display_name if group and group.display_name else scope.via}"'
    if scope.standing is Standing.EXCLUDED_ROLE:
        role = graph.roles.get(scope.via)
        return f'excludes the role "{role.display_name if role and role.display_name else scope.via}"'
    if scope.standing is Standing.EXCLUDED_GUEST:
        return "excludes guests"
    return "does not include this user"


def _not_enabled(one: PlannedPolicy, scope: Scope) -> Cause | None:
    """A policy that would ask this user for MFA if it were switched on."""
    if one.enabled or scope.standing is not Standing.IN_SCOPE:
        return None
    name = f'"{one.policy.display_name or one.policy.id}"'
    if one.policy.state == PolicyState.REPORT_ONLY:
        return Cause(policy_id=one.policy.id, codes=("report_only_only",), clause=f"{name} only reports")
    return Cause(policy_id=one.policy.id, codes=("policyNotEnabled",), clause=f"{name} is switched off")


def _break_glass(who: Signature, pairs: Sequence[tuple[PlannedPolicy, Scope]]) -> bool:
    """A global administrator whom every enabled policy leaves out by name or group: an emergency account."""
    standings = {scope.standing for one, scope in pairs if one.counts}
    left_out = {Standing.EXCLUDED_USER, Standing.EXCLUDED_GROUP}
    return who.global_admin and bool(standings & left_out) and standings <= left_out | {Standing.NOT_INCLUDED}


def _other_control(pairs: Sequence[tuple[PlannedPolicy, Scope]]) -> set[str]:
    """Whether a policy asks for something that is not MFA, so that the user is not simply unprotected."""
    asked = any(
        one.counts and one.demand is Demand.OTHER and scope.standing is Standing.IN_SCOPE for one, scope in pairs
    )
    return {"control_not_mfa"} if asked else set()


def _sentence(causes: Sequence[Cause], *, only: bool) -> str:
    if not causes:
        return "no conditional access policy asks for MFA"
    telling = [cause for cause in causes if cause.codes != (Standing.NOT_INCLUDED.value,)]
    if not telling:
        return "no conditional access policy that asks for MFA includes this user"
    if only and len(telling) == 1:
        return f"the only MFA policy {telling[0].clause}"
    return "; ".join(cause.clause for cause in telling[:SHOWN]) + _rest(len(telling) - SHOWN)


def _rest(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""
