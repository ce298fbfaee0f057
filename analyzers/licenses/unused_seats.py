"""Are more seats paid for than somebody holds or may soon need? Raises ``license_unused_seats``."""

from __future__ import annotations

from analyzers.rule import Case, Judgement, Rule, Threshold
from analyzers.seats import SHARE, free, reserve, spare
from analyzers.wording import product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, License
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding for every product with more spare seats than the tenant's reserve, or a twentieth of the seats.

    Free products and trials are left out, and those whose subscription has run out: their seats renew no more.
    """
    skus = [sku for _, sku in sorted(case.graph.licenses.items()) if _counts(sku)]
    findings = [_finding(case, sku) for sku in skus if spare(sku) > reserve(sku, case.threshold)]
    return Judgement(items=len(skus), findings=findings)


def _counts(sku: License) -> bool:
    return sku.applies_to == "User" and sku.capability_status == "Enabled" and not free(sku)


def _finding(case: Case, sku: License) -> Finding:
    return case.about(
        EntityType.LICENSES,
        sku.id,
        Severity.LOW,
        f"Nobody holds {spare(sku)} of the {sku.enabled_units} seats of {product_of(sku.id, sku)}.",
        reasons=("seats_unused",),
        evidence={"sku_part_number": sku.part_number},
    )


RULE = Rule(
    alert_type=AlertType.LICENSE_UNUSED_SEATS,
    title="A product has more seats that nobody holds than a reserve.",
    severity="low",
    about=frozenset({EntityType.LICENSES}),
    inputs=(Resource.SKUS,),
    threshold=Threshold(
        default=5,
        least=0,
        most=100_000,
        unit="seats",
        meaning=f"products with more spare seats, and with more than {SHARE} % of theirs",
    ),
    remediation="Reduce the seats at the next renewal, or earlier where the contract allows it.",
    source="https://learn.microsoft.com/microsoft-365/commerce/licenses/buy-licenses",
    judge=judge,
)
