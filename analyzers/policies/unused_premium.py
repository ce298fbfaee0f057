"""Is conditional access paid for and not used? Raises ``ca_licensed_unused``."""

from __future__ import annotations

from analyzers.premium import is_premium
from analyzers.rule import Case, Judgement, Rule
from analyzers.wording import listed, product_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Severity


def judge(case: Case) -> Judgement:
    """A finding if the tenant has seats of Entra ID P1 or P2 and no policy that can concern a user is enabled."""
    items = len(case.graph.licenses)
    products = sorted(product_of(key, sku) for key, sku in case.graph.licenses.items() if is_premium(sku))
    if not products or case.facts.any_policy_enabled:
        return Judgement(items=items)
    finding = case.about_tenant(
        Severity.HIGH,
        f"The tenant pays for conditional access with {listed(products)}, but no conditional access policy is enabled.",
        reasons=("no_enabled_policy",),
        evidence={"sku_part_numbers": products},
    )
    return Judgement(items=items, findings=[finding])


RULE = Rule(
    alert_type=AlertType.CA_LICENSED_UNUSED,
    title="The tenant has seats of Microsoft Entra ID P1 or P2 and no conditional access policy is enabled.",
    severity="high",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.POLICIES, Resource.SKUS),
    remediation="Enable conditional access policies; begin with Microsoft's templates, in report-only mode.",
    source="https://learn.microsoft.com/entra/identity/conditional-access/overview",
    judge=judge,
)
