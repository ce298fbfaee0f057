"""What each policy of a tenant has to do with one user's sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from analyzers.coverage.conditions import Reason, ReasonCode, failing
from analyzers.coverage.demand_words import demand_words
from analyzers.coverage.demands import Demand, demand_of
from analyzers.coverage.engine import Coverage
from analyzers.coverage.explain import excluded_words
from analyzers.coverage.plan import PlannedPolicy
from analyzers.coverage.roster import Standing
from analyzers.coverage.scope import Signature, doubt, naming
from analyzers.coverage.sign_in import Situation
from pipeline.domain.conditional_access import ConditionalAccessPolicy, PolicyState
from pipeline.domain.entities import Identity
from pipeline.domain.graph import TenantGraph


class Applies(StrEnum):
    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyAnswer:
    """``if_enabled`` is what ``applies`` would be if the policy were switched on; the same of one that is.

    ``reasons`` are all those for which it does not apply, or for which that cannot be told; none where it applies.
    """

    policy: ConditionalAccessPolicy
    applies: Applies
    if_enabled: Applies
    reasons: tuple[Reason, ...]
    demand: Demand
    demands: str
    """The demand in words."""

    @property
    def title(self) -> str:
        """How a sentence names the policy."""
        return f'"{self.policy.display_name or self.policy.id}"'

    @property
    def doubts(self) -> str:
        """Why it cannot be told whether it applies, as half a sentence; empty where it can."""
        unclear = (reason.words for reason in self.reasons if reason.code is ReasonCode.NOT_ENOUGH_INFORMATION)
        return "; ".join(unclear)


def policy_answers(user: Identity, situation: Situation, coverage: Coverage) -> tuple[PolicyAnswer, ...]:
    """The answer of every policy, whatever its state, in the order of their ids."""
    plan, graph, who = coverage.plan, coverage.graph, coverage.signature(user)
    standing = plan.roster.standing(who)
    numbers = {one.policy.id: number for number, one in enumerate(plan.policies)}
    found = []
    for key in sorted(graph.policies):
        policy = graph.policies[key]
        if key not in numbers:
            found.append(_answer(policy, [_ABOUT_WORKLOADS], graph))
            continue
        number = numbers[key]
        scope = _scope(plan.policies[number], 1 << number, who, standing, coverage)
        found.append(_answer(policy, [*scope, *failing(policy, situation, graph)], graph))
    return tuple(found)


_ABOUT_WORKLOADS = Reason(code=ReasonCode.WORKLOAD_IDENTITIES, words="is about workload identities, not about users")
_REPORTS = Reason(code=ReasonCode.POLICY_NOT_ENABLED, words="only reports")
_SWITCHED_OFF = Reason(code=ReasonCode.POLICY_NOT_ENABLED, words="is switched off")


def _answer(policy: ConditionalAccessPolicy, reasons: list[Reason], graph: TenantGraph) -> PolicyAnswer:
    """The answer from the reasons besides the policy's state. What is not known does not matter beside what fails."""
    failed = [reason for reason in reasons if reason.code is not ReasonCode.NOT_ENOUGH_INFORMATION]
    if_enabled = Applies.NO if failed else Applies.CANNOT_TELL if reasons else Applies.YES
    state = []
    if policy.state != PolicyState.ENABLED:
        state = [_REPORTS if policy.state == PolicyState.REPORT_ONLY else _SWITCHED_OFF]
    return PolicyAnswer(
        policy=policy,
        applies=Applies.NO if state else if_enabled,
        if_enabled=if_enabled,
        reasons=(*state, *(failed or reasons)),
        demand=demand_of(policy.grant, graph.authentication_strengths),
        demands=demand_words(policy.grant, graph.authentication_strengths),
    )


def _scope(one: PlannedPolicy, bit: int, who: Signature, standing: Standing, coverage: Coverage) -> Iterator[Reason]:
    """Why the policy does not concern the user; nothing if it does."""
    if standing.in_scope & bit:
        return
    unread = coverage.plan.unread
    included = next(naming(one.include, who), None) is not None
    unclear = None if included else doubt(one.include, who.guest, unread)
    if standing.unknown & bit:
        why = unclear or doubt(one.exclude, who.guest, unread)
        yield Reason(code=ReasonCode.NOT_ENOUGH_INFORMATION, words=why.reason if why is not None else "")
        return
    for found in naming(one.exclude, who):
        words = f"excludes {excluded_words(found, coverage.graph)}"
        yield Reason(code=ReasonCode(found.code.value), words=words, via=found.via)
    if not included and unclear is None:
        yield Reason(code=ReasonCode.USERS, words="does not include this user")
