"""Did every licence reach the user it is for? Raises ``license_assignment_error``, one for each user and SKU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import name_of, product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity, LicenseError
from pipeline.domain.findings import AlertType, Finding, Severity

UNEXPLAINED = "other", "Microsoft does not say why (have the licence processed again in the admin center)"
CAUSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "CountViolation": ("count_violation", "no seat is left (buy one, or free one that is not needed)"),
        "MutuallyExclusiveViolation": (
            "mutually_exclusive_violation",
            "a service in it and one of another licence exclude each other (turn one of the two off)",
        ),
        "DependencyViolation": (
            "dependency_violation",
            "one service needs another that is missing or to be taken away (assign what is needed, or turn off what "
            "needs it)",
        ),
        "ProhibitedInUsageLocationViolation": (
            "prohibited_in_usage_location",
            "a service in it is not offered in the usage location (correct it, or leave the service out)",
        ),
        "UniquenessViolation": (
            "uniqueness_violation",
            "something may exist only once and does already, as a service or a mail address (remove the duplicate)",
        ),
        "Other": UNEXPLAINED,
    }
)
"""Microsoft's code → our reason code, and why with what to do about it."""


def judge(case: Case) -> Judgement:
    """https://learn.microsoft.com/graph/api/resources/licenseassignmentstate: assignments in error, also active ones.

    Errors arise where groups hand out licences: nobody is told of them at once. Whether the account is enabled does
    not matter, the licence was meant for it.
    """
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key, user in case.users.items():
        if user.license_errors is None:
            untold.append(Untold(external_id=key, reason="whether licences could be assigned was not read"))
        elif user.license_errors:
            findings += [_finding(case, user, sku, codes) for sku, codes in _by_sku(user.license_errors).items()]
    return Judgement(items=len(case.users), findings=findings, untold=untold)


def _by_sku(errors: Sequence[LicenseError]) -> dict[str, list[str]]:
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for error in errors:
        codes[error.sku_id].append(error.code)
    return codes


def _finding(case: Case, user: Identity, sku: str, codes: list[str]) -> Finding:
    causes = list(dict.fromkeys(CAUSES.get(code, UNEXPLAINED) for code in codes))
    why = "; ".join(phrase for _, phrase in causes)
    return case.about_user(
        user,
        Severity.MEDIUM,
        f"{product_of(sku, case.graph.licenses.get(sku))} was not assigned to {name_of(user)} as intended: {why}.",
        reasons=tuple(reason for reason, _ in causes),
        evidence={"sku_id": sku, "codes": codes},
        subject=sku,
    )


RULE = Rule(
    alert_type=AlertType.LICENSE_ASSIGNMENT_ERROR,
    title="A licence that was assigned to a user did not reach the account, or not wholly.",
    severity="medium",
    inputs=(Resource.USERS,),
    optional_inputs=(Resource.SKUS,),  # for the product's name alone
    per_user=True,
    remediation=(
        "Do what the alert's own sentence says, then have the group's or the user's licences processed again in the "
        "admin center."
    ),
    source="https://learn.microsoft.com/entra/fundamentals/licensing-groups-resolve-problems",
    judge=judge,
)
