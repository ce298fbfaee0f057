"""Who was given a privileged role of late? Raises ``new_privileged_role_holder``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from analyzers.administrators import ENABLED_UNREAD
from analyzers.privileged import PRIVILEGED_ROLES, ROLES
from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity

FIRST_READING = "this is the first reading of who holds a privileged role, so there is nothing to compare it with"


def judge(case: Case) -> Judgement:
    """One finding for every enabled account with a privileged role that an earlier reading did not know it to hold.

    It stands for the threshold of days after the role was first seen.
    """
    grants = case.facts.holders.grants or frozenset()
    items = len({holder for holder, _ in grants})
    if case.grants_known is None:
        return Judgement(items=items, incomplete=FIRST_READING, doubt=True)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key, roles in sorted(_new(grants, case.grants_known, case).items()):
        user = case.users.get(key)
        if user is None or user.enabled is False:
            continue
        if user.enabled is None:
            untold.append(Untold(external_id=key, reason=ENABLED_UNREAD))
        else:
            findings.append(_finding(case, user, sorted(roles)))
    return Judgement(items=items, findings=findings, untold=untold)


def _new(
    grants: frozenset[tuple[str, str]], known: Mapping[tuple[str, str], datetime | None], case: Case
) -> Mapping[str, list[str]]:
    """Identity id → the names of the roles that are new to it. What is not known yet is new from now on."""
    now = case.facts.now
    new: defaultdict[str, list[str]] = defaultdict(list)
    for holder, role in grants:
        since = known.get((holder, role), now)
        if since is not None and now - since <= timedelta(days=case.threshold):
            new[holder].append(PRIVILEGED_ROLES[role])
    return new


def _finding(case: Case, user: Identity, roles: list[str]) -> Finding:
    return case.about_user(
        user,
        Severity.HIGH,
        f"{name_of(user)} has been given {listed(roles)}; make sure that this was intended.",
        reasons=("role_gained",),
        evidence={"roles": roles},
    )


RULE = Rule(
    alert_type=AlertType.NEW_PRIVILEGED_ROLE_HOLDER,
    title="An enabled account was given a privileged role within the threshold of days.",
    severity="high",
    inputs=(Resource.USERS, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS,),
    threshold=Threshold(default=7, least=1, most=90, unit="days", meaning="privileged roles held for no longer"),
    remediation="Ask whoever is responsible whether the role was meant to be given; if not, remove it at once.",
    source="https://learn.microsoft.com/entra/architecture/security-operations-privileged-accounts",
    judge=judge,
)
