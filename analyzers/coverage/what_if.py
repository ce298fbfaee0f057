"""What would happen if this user signed in in this situation: which policies apply, why not the others, what follows.

Microsoft's what-if tool for a stored tenant (https://learn.microsoft.com/entra/identity/conditional-access/what-if-tool)
from the engine's own pieces: what it says of all baseline situations is what the coverage of the user says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from analyzers.coverage.demands import Demand
from analyzers.coverage.engine import Coverage
from analyzers.coverage.judgement import beyond_policies
from analyzers.coverage.matching import LEGACY_CLIENTS
from analyzers.coverage.policy_answers import Applies, PolicyAnswer, policy_answers
from analyzers.coverage.sign_in import Situation
from analyzers.coverage.what_if_words import blocked_sentence, mfa_sentence, open_sentence, untold_sentence
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import TenantGraph


class SignIn(StrEnum):
    """What a sign-in comes to."""

    BLOCK = "block"
    """Nobody gets in."""
    MFA = "mfa"
    """Nobody gets in without MFA."""
    OPEN = "open"
    """No MFA is made sure of, and nothing blocks: some other demand may still have to be met."""
    UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """``because`` is a sentence. ``offered`` of an open sign-in: MFA may be asked for, and there are ways around it."""

    result: SignIn
    because: str
    offered: bool = False
    may_block: bool = False
    """Of an unknown one: it may be a block, not only MFA."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIf:
    """``by_policies`` is what conditional access alone makes of the sign-in, ``outcome`` what it comes to in all."""

    user: Identity
    situation: Situation
    policies: tuple[PolicyAnswer, ...]
    by_policies: Outcome
    outcome: Outcome


def what_if(user: Identity, situation: Situation, graph: TenantGraph) -> WhatIf:
    """The answer for one user and one situation."""
    return ask(user, situation, Coverage(graph))


def ask(user: Identity, situation: Situation, coverage: Coverage) -> WhatIf:
    """As ``what_if``, for who has more than one question about a tenant."""
    answers = policy_answers(user, situation, coverage)
    alone = _by_policies(answers, situation)
    return WhatIf(
        user=user,
        situation=situation,
        policies=answers,
        by_policies=alone,
        outcome=_in_all(user, situation, coverage, alone),
    )


def _by_policies(answers: Sequence[PolicyAnswer], situation: Situation) -> Outcome:
    """Block beats all; MFA that is certain beats whatever else is demanded or may be."""
    certain = [one for one in answers if one.applies is Applies.YES]
    unsure = [one for one in answers if one.applies is Applies.CANNOT_TELL]
    blocking = [one for one in certain if _blocks(one, situation)]
    if blocking:
        return Outcome(SignIn.BLOCK, blocked_sentence(blocking))
    may_block = next((one for one in unsure if _blocks(one, situation)), None)
    if may_block is not None:
        return Outcome(SignIn.UNKNOWN, untold_sentence(may_block, "blocks this sign-in"), may_block=True)
    asking = [one for one in certain if one.demand is Demand.MFA]
    if asking:
        return Outcome(SignIn.MFA, mfa_sentence(asking, certain, situation))
    may_ask = next((one for one in answers if _may_ask(one)), None)
    if may_ask is not None:
        return Outcome(SignIn.UNKNOWN, untold_sentence(may_ask, "demands MFA"))
    offered = any(one.demand is Demand.MFA_OR_OTHER for one in certain)
    return Outcome(SignIn.OPEN, open_sentence(certain, unsure, situation), offered=offered)


def _blocks(one: PolicyAnswer, situation: Situation) -> bool:
    """Whether the policy, where it applies, lets nobody in; a legacy client can satisfy no grant control."""
    legacy = situation.client in LEGACY_CLIENTS
    return one.demand is Demand.BLOCK or (legacy and one.demand is not Demand.NOTHING)


def _may_ask(one: PolicyAnswer) -> bool:
    if one.applies is Applies.YES:
        return one.demand is Demand.STRENGTH_UNKNOWN
    return one.applies is Applies.CANNOT_TELL and one.demand in {Demand.MFA, Demand.STRENGTH_UNKNOWN}


def _in_all(user: Identity, situation: Situation, coverage: Coverage, alone: Outcome) -> Outcome:
    """What policies give, and where that is less than MFA, what per-user MFA and security defaults add."""
    if coverage.unreadable is not None:
        return Outcome(SignIn.UNKNOWN, f"Nothing can be told: {coverage.unreadable}.", may_block=True)
    if user.enabled is False:
        return Outcome(SignIn.BLOCK, "The account is disabled: nobody can sign in to it.")
    if alone.result is SignIn.BLOCK:
        return alone
    if user.enabled is None:
        return Outcome(SignIn.UNKNOWN, "Whether the account is enabled was not read.", may_block=True)
    if alone.result is SignIn.MFA or alone.may_block:
        return alone
    return _beyond_policies(user, situation, coverage, alone)


def _beyond_policies(user: Identity, situation: Situation, coverage: Coverage, alone: Outcome) -> Outcome:
    """Where policies leave the sign-in open, or may."""
    graph = coverage.graph
    legacy = situation.client in LEGACY_CLIENTS
    defaults = graph.security_defaults if graph.unreadable(Resource.SECURITY_DEFAULTS) is None else None
    if legacy and defaults is not None and defaults.enabled:
        return Outcome(SignIn.BLOCK, "Security defaults block legacy clients.")
    beyond = beyond_policies(coverage.signature(user), coverage.plan, graph)
    if beyond is None:
        return alone
    if beyond.verdict is Verdict.FULL:
        remark = " A legacy client gets in with an app password only." if legacy else ""
        return Outcome(SignIn.MFA, f"MFA is demanded: {beyond.because}.{remark}")
    if alone.result is SignIn.UNKNOWN:
        return alone
    if beyond.verdict is Verdict.UNKNOWN:
        because = f"No policy makes sure of MFA, and whether anything else does cannot be told: {beyond.because}."
        return Outcome(SignIn.UNKNOWN, because)
    return Outcome(SignIn.OPEN, f"MFA is not certain: {beyond.because}.", offered=True)
