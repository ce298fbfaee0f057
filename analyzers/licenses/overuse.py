"""Do more users hold a licence than was paid for? Raises ``license_overuse``."""

from __future__ import annotations

from analyzers.rule import Case, Judgement, Rule
from analyzers.wording import product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Severity


def judge(case: Case) -> Judgement:
    """https://learn.microsoft.com/graph/api/resources/subscribedsku: warning units still work, suspended ones don't."""
    skus = [sku for _, sku in sorted(case.graph.licenses.items()) if sku.applies_to == "User"]
    over = [sku for sku in skus if sku.consumed_units > sku.enabled_units + sku.warning_units]
    findings = [
        case.about(
            EntityType.LICENSES,
            sku.id,
            Severity.HIGH,
            f"{product_of(sku.id, sku)} is assigned to {sku.consumed_units} users but has "
            f"{sku.enabled_units + sku.warning_units} seats.",
            reasons=("consumed_over_seats",),
            evidence={"sku_part_number": sku.part_number},
        )
        for sku in over
    ]
    return Judgement(items=len(skus), findings=findings)


RULE = Rule(
    alert_type=AlertType.LICENSE_OVERUSE,
    title="More users hold a SKU than it has seats.",
    severity="high",
    about=frozenset({EntityType.LICENSES}),
    inputs=(Resource.SKUS,),
    remediation="Buy the missing seats, or remove the licence from users who do not need it.",
    source="https://learn.microsoft.com/graph/api/resources/subscribedsku",
    since="0.1.0",
    judge=judge,
)
