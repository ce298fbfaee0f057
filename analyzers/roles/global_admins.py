"""Do enough accounts hold Global Administrator, and not too many? Raises ``global_admin_count``."""

from __future__ import annotations

from analyzers.privileged import GLOBAL_ADMINISTRATOR, ROLES
from analyzers.rule import Case, Judgement, Rule, Threshold
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, Finding, Severity

FEWEST = 2
"""With one alone, nobody is left to help when that account cannot sign in."""
UNTOLD = "whether every holder of Global Administrator is enabled was not read"


def judge(case: Case) -> Judgement:
    """At most one finding, about the tenant.

    Accounts of which it was not read whether they are enabled leave open how many there are; they only matter where
    the verdict would not be the same with and without them.
    """
    holders = _holders(case)
    enabled = [user for user in holders if user.enabled]
    unsure = sum(user.enabled is None for user in holders)
    count = len(enabled)
    if _outcome(case, count) != _outcome(case, count + unsure):
        return Judgement(items=1, incomplete=UNTOLD, doubt=True)
    return Judgement(items=1, findings=_findings(case, enabled, _outcome(case, count)))


def _holders(case: Case) -> list[Identity]:
    grants = case.facts.holders.grants or frozenset()
    ids = sorted(holder for holder, role in grants if role == GLOBAL_ADMINISTRATOR)
    return [case.graph.identities[key] for key in ids if key in case.graph.identities]


def _outcome(case: Case, count: int) -> str:
    """The reason code, empty where the number is fine."""
    if count < FEWEST:
        return "too_few"
    return "too_many" if count > case.threshold else ""


def _findings(case: Case, enabled: list[Identity], outcome: str) -> list[Finding]:
    if not outcome:
        return []
    message = _too_few(enabled) if outcome == "too_few" else _too_many(case, enabled)
    evidence = {"holders": [user.id for user in enabled]}
    return [case.about_tenant(Severity.MEDIUM, message, reasons=(outcome,), evidence=evidence)]


def _too_few(enabled: list[Identity]) -> str:
    if not enabled:
        return "No enabled account holds Global Administrator."
    return (
        f"Only {name_of(enabled[0])} holds Global Administrator: nobody can step in when this account cannot sign in."
    )


def _too_many(case: Case, enabled: list[Identity]) -> str:
    names = listed([name_of(user) for user in enabled])
    return (
        f"{len(enabled)} enabled accounts hold Global Administrator, and no more than {case.threshold} should: {names}."
    )


RULE = Rule(
    alert_type=AlertType.GLOBAL_ADMIN_COUNT,
    title="Fewer than 2 enabled accounts hold Global Administrator, or more than the threshold.",
    severity="medium",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.USERS, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS,),
    threshold=Threshold(default=4, least=2, most=50, unit="accounts", meaning="more Global Administrators"),
    remediation=(
        "Too many: give those who do not need all of it the least role that does. Too few: add a second account that "
        "is kept for emergencies."
    ),
    source="https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices",
    judge=judge,
)
