"""The holders of privileged roles that a rule has to judge, and what they hold. Shared by the rules on them."""

from __future__ import annotations

from collections.abc import Callable

from analyzers.privileged import PRIVILEGED_ROLES
from analyzers.rule import Case, Judgement, Untold
from pipeline.domain.entities import Identity
from pipeline.domain.findings import Finding
from pipeline.domain.graph import EMPTY

ENABLED_UNREAD = "whether the account is enabled was not read"


def administrators(case: Case) -> list[Identity]:
    """The users to judge who hold a privileged role, disabled ones too, in the order of their ids."""
    return [case.users[key] for key in sorted(case.facts.privileged) if key in case.users]


def judge_administrators(
    case: Case,
    *,
    fine: Callable[[Identity], bool],
    unread: Callable[[Identity], str],
    finding: Callable[[Case, Identity], Finding],
) -> Judgement:
    """One finding for every enabled holder of a privileged role who is not ``fine``.

    ``unread`` says what was not read of a holder that decides, empty if nothing; those cannot be told.
    """
    holders = administrators(case)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for user in holders:
        if user.enabled is False or fine(user):
            continue
        reason = ENABLED_UNREAD if user.enabled is None else unread(user)
        if reason:
            untold.append(Untold(external_id=user.id, reason=reason))
        else:
            findings.append(finding(case, user))
    return Judgement(items=len(holders), findings=findings, untold=untold)


def roles_held(case: Case, user: Identity) -> list[str]:
    """The names of the privileged roles of the user, sorted."""
    held = case.graph.roles_of.get(user.id, EMPTY) & PRIVILEGED_ROLES.keys()
    return sorted(PRIVILEGED_ROLES[role] for role in held)
