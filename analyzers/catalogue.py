"""The rules this product knows, as one list: what the command line, the documentation and the console show.

A new rule is a file of its own and one line here.
"""

from __future__ import annotations

from collections.abc import Iterable

from analyzers import connection
from analyzers.accounts import never_signed_in, stale, stale_guests
from analyzers.directory import app_credentials, psa, sync_stalled
from analyzers.licenses import assignment_errors, overuse, renewal, unused_seats, waste
from analyzers.mfa import admin_registration, capability, enforcement, guests
from analyzers.policies import (
    baseline,
    deleted_references,
    device_code_flow,
    exclusion_gap,
    gap,
    legacy_authentication,
    report_only,
    unused_premium,
)
from analyzers.roles import break_glass, global_admins, licensed_admins, new_holder, synced_admins
from analyzers.rule import Rule
from pipeline.domain.capture import RESOURCES, SyncType
from pipeline.domain.findings import AlertType, AnalysisType

RULES: tuple[Rule, ...] = (
    connection.UNREACHABLE,
    connection.STOPPED_RUNNING,
    enforcement.NOT_ENFORCED,
    enforcement.PARTIAL,
    admin_registration.RULE,
    capability.RULE,
    baseline.RULE,
    legacy_authentication.RULE,
    device_code_flow.RULE,
    guests.RULE,
    unused_premium.RULE,
    gap.RULE,
    exclusion_gap.RULE,
    deleted_references.RULE,
    report_only.RULE,
    new_holder.RULE,
    global_admins.RULE,
    break_glass.RULE,
    synced_admins.RULE,
    licensed_admins.RULE,
    stale.RULE,
    never_signed_in.RULE,
    stale_guests.RULE,
    overuse.RULE,
    waste.RULE,
    unused_seats.RULE,
    renewal.RULE,
    assignment_errors.RULE,
    app_credentials.RULE,
    sync_stalled.RULE,
    psa.RULE,
)
"""Every rule, in the order in which they are shown."""

BY_ALERT_TYPE = {rule.alert_type: rule for rule in RULES}


def rule_of(alert_type: AlertType) -> Rule:
    """The rule that raises alerts of the type."""
    return BY_ALERT_TYPE[alert_type]


def fed_by(sync_types: Iterable[SyncType]) -> frozenset[AnalysisType]:
    """The analysis types with a rule that reads any of what these syncs read; no other verdict can have changed."""
    kinds = tuple(sync_types)
    return frozenset(rule.analysis_type for rule in RULES if any(feeds(kind, rule) for kind in kinds))


def feeds(sync_type: SyncType, rule: Rule) -> bool:
    """Whether the sync reads something that the rule looks at."""
    return not set(RESOURCES[sync_type]).isdisjoint((*rule.inputs, *rule.optional_inputs))
