"""Are administrators' accounts used for everyday work? Raises ``licensed_admin``."""

from __future__ import annotations

from analyzers.administrators import ENABLED_UNREAD, administrators, roles_held
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import listed, name_of, product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity

FOR_ADMINISTRATORS = frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"})
"""Part numbers of Entra ID P1 and P2 alone: they bring an administrator's protection, but no mailbox and no app.
https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference"""


def judge(case: Case) -> Judgement:
    """A finding for every enabled holder with a licence that an administrator does not need as such.

    A SKU without a name could be one that they do need: it is no reason for a finding, nor for saying that all is well.
    Names stay the same, so a stored one counts although the SKUs could not be read this time.
    """
    holders = administrators(case)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for user in holders:
        unneeded, nameless = _licences(case, user)
        if user.enabled is False or not (unneeded or nameless):
            continue
        if user.enabled is None:
            untold.append(Untold(external_id=user.id, reason=ENABLED_UNREAD))
        elif unneeded:
            findings.append(_finding(case, user, unneeded))
        else:
            untold.append(Untold(external_id=user.id, reason=_nameless(case, nameless)))
    return Judgement(items=len(holders), findings=findings, untold=untold)


def _licences(case: Case, user: Identity) -> tuple[list[str], list[str]]:
    """The SKU ids that count against the user, and those without a name, both sorted."""
    names = {key: _part_number(case, key) for key in sorted(user.sku_ids)}
    unneeded = [key for key, name in names.items() if name and name not in FOR_ADMINISTRATORS]
    return unneeded, [key for key, name in names.items() if not name]


def _part_number(case: Case, key: str) -> str:
    sku = case.graph.licenses.get(key)
    return sku.part_number if sku is not None else ""


def _nameless(case: Case, keys: list[str]) -> str:
    return case.graph.unreadable(Resource.SKUS) or f"which product the SKU {keys[0]} is, is not known"


def _finding(case: Case, user: Identity, skus: list[str]) -> Finding:
    roles = roles_held(case, user)
    products = sorted(product_of(key, case.graph.licenses.get(key)) for key in skus)
    return case.about_user(
        user,
        Severity.LOW,
        f"{name_of(user)} holds {listed(roles)} and is licensed for {listed(products)}: an administrator's account "
        "should have no mailbox and no apps.",
        reasons=("licensed",),
        evidence={"roles": roles, "sku_ids": skus, "sku_part_numbers": products},
    )


RULE = Rule(
    alert_type=AlertType.LICENSED_ADMIN,
    title="An enabled holder of a privileged role has a licence for more than Entra ID P1 or P2.",
    severity="low",
    inputs=(Resource.USERS, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS, Resource.SKUS),
    remediation=(
        "Give the role to an account of its own without a mailbox, licensed for Entra ID P1 or P2 at most, and take "
        "it from the one for everyday work."
    ),
    source="https://learn.microsoft.com/microsoft-365/enterprise/protect-your-global-administrator-accounts",
    judge=judge,
)
