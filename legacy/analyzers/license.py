"""The old license analyzer: ``license_waste`` a user and SKU, ``license_overuse`` a SKU.

Known to be wrong: whether somebody is stale is read from the ``Stale`` tag, which the previous run's alerts left
behind, so waste comes and goes one run late and inherits every mistake of the stale rule; an account whose state
was not read is taken for disabled.
"""

from __future__ import annotations

from datetime import datetime

from legacy.reads import LegacyReads
from pipeline.domain.alerts import Tag
from pipeline.domain.entities import EntityType, Identity, License
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, Severity

PER_USER = "User"
DISABLED = "account_disabled"
STALE = "account_stale"
OVERUSED = "consumed_exceeds_enabled"


def analyze(reads: LegacyReads, _now: datetime) -> AnalysisResult:
    """Waste of disabled accounts, then of tagged ones, then overuse."""
    findings = [waste for one in reads.disabled_identities() for waste in _wasted(reads, one, DISABLED)]
    for identity in reads.enabled_identities():
        if Tag.STALE in reads.tags_of(identity.id):
            findings.extend(_wasted(reads, identity, STALE))
    findings.extend(_overuse(sku) for sku in reads.skus() if _overused(sku))
    return AnalysisResult(findings=tuple(findings), ran=frozenset({AnalysisType.LICENSE}))


def _wasted(reads: LegacyReads, identity: Identity, reason: str) -> list[Finding]:
    """A finding for each SKU of one user; every SKU's name is asked for again."""
    return [_waste(identity, sku_id, reads.sku(sku_id), reason) for sku_id in reads.licenses_of(identity.id)]


def _waste(identity: Identity, sku_id: str, sku: License | None, reason: str) -> Finding:
    name = sku.part_number if sku and sku.part_number else sku_id
    held_by = "disabled account" if reason == DISABLED else "stale account"
    return Finding(
        alert_type=AlertType.LICENSE_WASTE,
        severity=Severity.MEDIUM if reason == DISABLED else Severity.LOW,
        entity_type=EntityType.IDENTITIES,
        external_id=identity.id,
        subject=sku_id,
        message=f"The {held_by} {identity.user_principal_name} holds {name}.",
        reasons=(reason,),
        evidence={"sku": sku_id},
    )


def _overused(sku: License) -> bool:
    return sku.applies_to == PER_USER and sku.consumed_units > sku.enabled_units + sku.warning_units


def _overuse(sku: License) -> Finding:
    seats = sku.enabled_units + sku.warning_units
    return Finding(
        alert_type=AlertType.LICENSE_OVERUSE,
        severity=Severity.HIGH,
        entity_type=EntityType.LICENSES,
        external_id=sku.id,
        message=f"{sku.part_number or sku.id} is assigned {sku.consumed_units} times with {seats} seats.",
        reasons=(OVERUSED,),
        evidence={"sku": sku.id},
    )
