"""Are licences held by accounts that do not use them? Raises ``license_waste``, one for each user and SKU."""

from __future__ import annotations

from analyzers.activity import Activity, Use, activity, cutoff
from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from analyzers.wording import name_of, product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity, License
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.rule_settings import ExemptionKind


def judge(case: Case) -> Judgement:
    """Licences of disabled accounts and of stale ones.

    Sign-in activity needs a premium licence and is not demanded: without it a disabled holder is still told, and every
    enabled one is listed as not evaluated.
    """
    unreadable = case.graph.unreadable(Resource.SIGN_IN_ACTIVITY)
    since = cutoff(case.facts.now, case.threshold)
    findings: list[Finding] = []
    untold: list[Untold] = []
    items = 0
    for key, user in case.users.items():
        if not user.sku_ids:
            continue
        items += len(user.sku_ids)
        seen = activity(user, since, unreadable=unreadable)
        if seen.use is Use.IN_USE:
            continue
        for sku in sorted(user.sku_ids):
            if seen.use is Use.UNKNOWN:
                untold.append(Untold(external_id=key, reason=seen.why, subject=sku))
            else:
                findings.append(_wasted(case, user, sku, case.graph.licenses.get(sku), seen))
    return Judgement(items=items, findings=findings, untold=untold)


def _wasted(case: Case, user: Identity, key: str, sku: License | None, seen: Activity) -> Finding:
    disabled = seen.use is Use.DISABLED
    product = product_of(key, sku)
    return case.about_user(
        user,
        Severity.MEDIUM if disabled else Severity.LOW,
        f"{name_of(user)} holds {product} but {'has a disabled account' if disabled else seen.why}.",
        reasons=("account_disabled",) if disabled else ("account_stale",),
        evidence={"sku_id": key, "sku_part_number": product, "disabled": disabled},
        subject=key,
    )


RULE = Rule(
    alert_type=AlertType.LICENSE_WASTE,
    title="A licence is held by a disabled account, or by one that is not used.",
    severity="medium for a disabled account, low for a stale one",
    inputs=(Resource.USERS, Resource.SKUS),
    optional_inputs=(Resource.SIGN_IN_ACTIVITY,),
    threshold=Threshold(default=90, least=7, most=730, unit="days", meaning="licences of accounts unused for longer"),
    spares=frozenset({ExemptionKind.BREAK_GLASS, ExemptionKind.SHARED_MAILBOX}),
    remediation="Remove the licence from the account, or reduce the seats at renewal.",
    source="https://learn.microsoft.com/microsoft-365/admin/manage/remove-licenses-from-users",
    since="0.1.0",
    judge=judge,
)
