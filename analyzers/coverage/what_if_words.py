"""The sentences of a what-if answer that speak of the policies behind it."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.coverage.demands import Demand, needs_managed_device
from analyzers.coverage.policy_answers import PolicyAnswer
from analyzers.coverage.sign_in import PROVES, Device, Situation
from analyzers.wording import listed


def blocked_sentence(blocking: Sequence[PolicyAnswer]) -> str:
    """Which policies block; where none says so, that a legacy client cannot do what they demand."""
    outright = [one for one in blocking if one.demand is Demand.BLOCK]
    if outright:
        return f"This sign-in is blocked by {titles(outright)}."
    return f"A legacy client can do nothing that a policy demands, so it is blocked by {titles(blocking)}."


def mfa_sentence(asking: Sequence[PolicyAnswer], applying: Sequence[PolicyAnswer], situation: Situation) -> str:
    return f"MFA is demanded by {titles(asking)}.{_turned_away(applying, situation)}"


def open_sentence(applying: Sequence[PolicyAnswer], unsure: Sequence[PolicyAnswer], situation: Situation) -> str:
    """That nothing asks for MFA, or what is demanded besides, and what may be by a policy that may apply."""
    possible = [one for one in unsure if one.demand is not Demand.NOTHING]
    doubt = f" {untold_sentence(possible[0], f'demands {possible[0].demands}')}" if possible else ""
    demanding = [one for one in applying if one.demand is not Demand.NOTHING]
    if not demanding and not possible:
        return "Nothing asks for MFA: the password is enough."
    if not demanding:
        return f"Nothing is known to be demanded.{doubt}"
    clauses = listed([f"{one.title} demands {one.demands}" for one in demanding])
    if any(one.demand is Demand.MFA_OR_OTHER for one in (*demanding, *possible)):
        remark = _turned_away(applying, situation) or _no_way_but_mfa(demanding, situation)
        return f"MFA is not certain: {clauses}.{remark}{doubt}"
    return f"No MFA is asked for: {clauses}.{_turned_away(applying, situation)}{doubt}"


def untold_sentence(one: PolicyAnswer, does: str) -> str:
    why = one.doubts or "its authentication strength is not known"
    return f"It cannot be told whether {one.title} {does}: {why}."


def titles(answers: Sequence[PolicyAnswer]) -> str:
    return listed([one.title for one in answers])


def _turned_away(applying: Sequence[PolicyAnswer], situation: Situation) -> str:
    """The open result speaks of MFA only; that the device at hand cannot meet a demand is said beside it."""
    if situation.device is not Device.UNMANAGED:
        return ""
    found = [one for one in applying if one.policy.grant is not None and needs_managed_device(one.policy.grant)]
    return f" An unmanaged device is turned away by {titles(found)}." if found else ""


def _no_way_but_mfa(demanding: Sequence[PolicyAnswer], situation: Situation) -> str:
    """For an unmanaged device "MFA or a compliant device" means MFA."""
    if situation.device is not Device.UNMANAGED:
        return ""
    for one in demanding:
        grant = one.policy.grant
        if grant is None or grant.custom_controls or grant.terms_of_use or grant.authentication_strength_id:
            continue
        if one.demand is Demand.MFA_OR_OTHER and set(grant.built_in_controls) <= {"mfa", *PROVES}:
            return " An unmanaged device has to do MFA, a managed one need not."
    return ""
