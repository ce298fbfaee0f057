"""Will seats that nobody holds soon be paid for again? Raises ``license_renewal_with_spare_seats``."""

from __future__ import annotations

from datetime import datetime, timedelta

from analyzers.rule import Case, Judgement, Rule, Threshold, Untold
from analyzers.seats import free, reserve, spare
from analyzers.wording import product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, License, Subscription
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding for every paid subscription that renews within the tenant's threshold of days with seats to spare.

    A twentieth of a product's seats may be spare: one that is kept for the next employee is no reason to act.

    https://learn.microsoft.com/graph/api/resources/companysubscription: the next lifecycle date is when the
    subscription passes on to the next status unless it is renewed. How long a term is Graph does not say, so one that
    renews every month is found in every month in which it has a spare seat.
    """
    until = case.facts.now + timedelta(days=case.threshold)
    findings: list[Finding] = []
    untold: list[Untold] = []
    for key, subscription in sorted(case.graph.subscriptions.items()):
        renews = subscription.next_lifecycle_at
        if renews is None or not case.facts.now <= renews <= until or not _paid(subscription):
            continue
        sku = case.graph.licenses.get(subscription.sku_id)
        if sku is None:
            untold.append(Untold(external_id=key, reason="the seats of its product were not among those read"))
        elif spare(sku) > reserve(sku) and not free(sku):
            findings.append(_finding(case, subscription, renews, sku))
    return Judgement(items=len(case.graph.subscriptions), findings=findings, untold=untold)


def _paid(subscription: Subscription) -> bool:
    return subscription.status == "Enabled" and not subscription.trial


def _finding(case: Case, subscription: Subscription, renews: datetime, sku: License) -> Finding:
    product = product_of(sku.id, sku)
    return case.about(
        EntityType.SUBSCRIPTIONS,
        subscription.id,
        Severity.MEDIUM,
        f"A subscription to {product} renews or ends on {renews:%Y-%m-%d}, and nobody holds {spare(sku)} of the "
        f"product's {sku.enabled_units} seats.",
        reasons=("renews_with_spare_seats",),
        evidence={"sku_id": sku.id, "sku_part_number": sku.part_number},
    )


RULE = Rule(
    alert_type=AlertType.LICENSE_RENEWAL_WITH_SPARE_SEATS,
    title="A paid subscription renews soon, and nobody holds some of the seats.",
    severity="medium",
    about=frozenset({EntityType.SUBSCRIPTIONS}),
    inputs=(Resource.SKUS, Resource.DIRECTORY_SUBSCRIPTIONS),
    threshold=Threshold(
        default=30, least=1, most=180, unit="days", meaning="subscriptions that renew within so many days"
    ),
    remediation="Reduce the subscription's seats before it renews, or turn off its renewal if nobody needs it.",
    source="https://learn.microsoft.com/graph/api/resources/companysubscription",
    judge=judge,
)
