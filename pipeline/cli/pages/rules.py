"""The rules: as a list, one explained, their settings, and how far each got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from rich.text import Text

from analyzers.exemptions import EVERY_RULE_SPARES
from analyzers.rule import Rule
from analyzers.settings import SPARED, exemptible
from pipeline.cli.pages.moments import shown
from pipeline.cli.pages.output import facts, heading, plain, show, table
from pipeline.cli.pages.streams import say, tell
from pipeline.domain.findings import Severity
from pipeline.domain.rule_settings import Exemption, RuleSettings, StoredExemption, StoredThreshold
from pipeline.storage.reports.coverage import CoverageLine
from pipeline.storage.reports.prefixes import SHORT


def rule_document(rule: Rule, settings: RuleSettings) -> Mapping[str, object]:
    """Everything the catalogue knows of a rule, for programs; ``threshold`` is what is in force."""
    limits = rule.threshold
    return {
        "id": rule.id,
        "analysis_type": rule.analysis_type.value,
        "alert_type": rule.alert_type.value,
        "title": rule.title,
        "severity": rule.severity,
        "about": sorted(kind.value for kind in rule.about),
        "inputs": [resource.value for resource in rule.inputs],
        "optional_inputs": [resource.value for resource in rule.optional_inputs],
        "threshold": settings.thresholds.get(rule.alert_type, limits.default) if limits else None,
        "default_threshold": limits.default if limits else None,
        "least_threshold": limits.least if limits else None,
        "most_threshold": limits.most if limits else None,
        "unit": limits.unit if limits else None,
        "spares": sorted(kind.value for kind in rule.spares),
        "remediation": rule.remediation,
        "source": rule.source,
        "since": rule.since,
    }


def threshold_text(rule: Rule, settings: RuleSettings) -> str:
    """The threshold in force with its unit; empty for a rule that measures nothing."""
    if rule.threshold is None:
        return ""
    return f"{settings.thresholds.get(rule.alert_type, rule.threshold.default)} {rule.threshold.unit}"


def show_rules(rules: Sequence[Rule], settings: RuleSettings, tenant: str | None) -> None:
    """The catalogue as a table; a threshold of the tenant's own is marked."""
    rows = table("rule", "severity", "threshold", "looks for", whole=("rule", "severity", "threshold"))
    for rule in rules:
        own = rule.alert_type in settings.thresholds
        rows.add_row(
            rule.id,
            plain(_severities(rule)),
            plain(threshold_text(rule, settings) + (" *" if own else ""), "bold" if own else ""),
            plain(rule.title),
        )
    show(rows)
    if tenant is not None and settings.thresholds:
        tell(f"* set for {tenant}")


def _severities(rule: Rule) -> str:
    """The severities its alerts can have, the worst first."""
    words = rule.severity.replace(",", " ").split()
    return ", ".join(severity.value for severity in reversed(Severity) if severity.value in words)


def show_rule(rule: Rule, settings: RuleSettings, tenant: str | None, own: StoredThreshold | None) -> None:
    """One rule explained."""
    show(plain(rule.title, "bold"), Text())
    show(
        facts(
            [
                ("rule", rule.id),
                ("analysis type", rule.analysis_type.value),
                ("about", ", ".join(sorted(kind.value for kind in rule.about))),
                ("severity", rule.severity),
                ("threshold", _threshold(rule, tenant, own)),
                ("set by", f"{own.author} at {shown(own.updated_at)} UTC: {own.reason}" if own else ""),
                ("needs", ", ".join(resource.value for resource in rule.inputs)),
                ("may need", ", ".join(resource.value for resource in rule.optional_inputs)),
                ("leaves alone", _spared(rule)),
                ("since version", rule.since),
            ]
        )
    )
    show(heading("What to do"), plain(rule.remediation))
    say(rule.source)
    if tenant is not None and exemptible(rule):
        show(heading(f"Exempt in {tenant}"), plain(_accepted(settings.exemptions, rule)))


def _threshold(rule: Rule, tenant: str | None, own: StoredThreshold | None) -> str:
    limits = rule.threshold
    if limits is None:
        return ""
    text = f"{limits.default} {limits.unit} ({limits.least} to {limits.most}): {limits.meaning}"
    return text if own is None else f"{own.value} {limits.unit}, set for {tenant}; without it {text}"


def _spared(rule: Rule) -> str:
    if not exemptible(rule):
        return ""
    return ", ".join(["exempt users and groups", *(SPARED[kind] for kind in sorted(rule.spares))])


def _accepted(exemptions: Sequence[Exemption], rule: Rule) -> str:
    """How many of the exemptions count for the rule: those of it alone, and those of kinds that it spares."""
    spared = EVERY_RULE_SPARES | rule.spares
    own = [one for one in exemptions if one.alert_type is rule.alert_type]
    number = len(own) + sum(1 for one in exemptions if one.alert_type is None and one.kind in spared)
    return (
        f"{number} exemption{'' if number == 1 else 's'}; `mspbyte rules exemptions` lists them." if number else "none"
    )


def exemption_document(one: StoredExemption) -> Mapping[str, object]:
    """An exemption for programs, in one level."""
    found = msgspec.to_builtins(one)
    return {**found.pop("exemption"), **found}


def show_exemptions(found: Sequence[StoredExemption], now: datetime) -> None:
    """A table a tenant; under each exemption stand its reason and who decided it."""
    if not found:
        say("Nobody is exempt; `mspbyte rules exempt` adds an exemption.")
        return
    for tenant, exemptions in groupby(found, key=lambda one: one.tenant):
        rows = table(
            "exemption", "kind", "rule", "until (UTC)", "who, and why", whole=("exemption", "kind", "until (UTC)")
        )
        for one in exemptions:
            end = f"{one.expires_at:%Y-%m-%d %H:%M}" if one.expires_at else "for good"
            over = one.expired(now)
            rows.add_row(
                str(one.id)[:SHORT],
                one.exemption.kind.value,
                one.exemption.alert_type.value if one.exemption.alert_type else "all",
                plain(f"{end}, over" if over else end, "dim" if over else ""),
                plain(f"{one.name}: {one.reason} ({one.author})"),
            )
        show(heading(tenant), rows)


def show_coverage(lines: Sequence[CoverageLine]) -> None:
    """A table a tenant: when each rule was last evaluated and on how much; below, why it was not where it was not."""
    if not lines:
        say("No rule has been due yet; `mspbyte sync TENANT` analyzes a tenant.")
        return
    for tenant, rules in groupby(lines, key=lambda one: one.tenant):
        _show_tenant_coverage(tenant, list(rules))


def _show_tenant_coverage(tenant: str, lines: Sequence[CoverageLine]) -> None:
    numbers = ("items", "found", "untold", "exempt")
    rows = table("rule", "evaluated (UTC)", *numbers, right=numbers, whole=("rule", "evaluated (UTC)"))
    skipped: dict[str, list[str]] = {}
    for one in lines:
        moment = f"{one.evaluated_at:%Y-%m-%d %H:%M}" if one.evaluated_at else "never"
        counts = (one.items, one.findings, one.untold, one.exempt)
        rows.add_row(one.rule.value, plain(moment, "" if one.evaluated_at else "yellow"), *map(str, counts))
        if one.skipped:
            skipped.setdefault(one.skipped, []).append(one.rule.value)
    show(heading(tenant), rows)
    if skipped:
        why = table("not evaluated", "because")
        for reason, names in skipped.items():
            why.add_row(", ".join(names), plain(reason, "yellow"))
        show(Text(), why)
