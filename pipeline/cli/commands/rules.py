"""``mspbyte rules``: the catalogue, what each tenant has set about it, and how far each rule got."""

from __future__ import annotations

import getpass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from analyzers.catalogue import RULES
from analyzers.settings import check_exemptible, checked_threshold, rule_named, threshold_of
from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, TenantOption, noun, quoted
from pipeline.cli.pages.moments import current_time, parsed_moment, shown
from pipeline.cli.pages.output import print_json
from pipeline.cli.pages.rules import (
    exemption_document,
    rule_document,
    show_coverage,
    show_exemptions,
    show_rule,
    show_rules,
)
from pipeline.cli.pages.streams import say, tell
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType
from pipeline.domain.rule_settings import DEFAULT_SETTINGS, Exemption, ExemptionKind, RuleSettings
from pipeline.errors import UserError
from pipeline.storage.reports.coverage import coverage_lines
from pipeline.storage.reports.prefixes import FOUND_AT_MOST, id_range, only_one
from pipeline.storage.reports.reach import reach_of
from pipeline.storage.rules import (
    add_exemption,
    clear_threshold,
    exemptions_between,
    find_account,
    find_threshold,
    list_exemptions,
    load_rule_settings,
    on_legacy,
    remove_exemptions,
    set_threshold,
)
from pipeline.storage.tenants import find_tenant

app = noun("What is looked for in the tenants, from when on, and whom it leaves alone.")

RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")]
OfTenant = Annotated[str, typer.Option("--tenant", metavar="NAME", help="For this tenant.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the setting.")]
Author = Annotated[str, typer.Option("--author", help="Who decided it; by default who is logged in.")]
FROM_THEN_ON = "It counts from the next analysis on; `mspbyte sync {}` runs one now."


@app.command("list")
def list_(*, tenant: TenantOption = None, as_json: AsJson = False) -> None:
    """List every rule, with the tenant's thresholds where one is named."""
    settings = _settings(tenant)
    if as_json:
        print_json([rule_document(rule, settings) for rule in RULES])
    else:
        show_rules(RULES, settings, tenant)


@app.command("show")
def show_(rule: RuleArgument, *, tenant: TenantOption = None, as_json: AsJson = False) -> None:
    """Explain one rule: what it looks for, from what, how bad it is and what to do about it."""
    found, settings, own = rule_named(rule), DEFAULT_SETTINGS, None
    if tenant is not None:
        with opened_database() as database, database.begin() as connection:
            owner = find_tenant(connection, tenant)
            settings = load_rule_settings(connection, owner, current_time())
            own = find_threshold(connection, owner, found.alert_type)
    if as_json:
        print_json({**rule_document(found, settings), **({"threshold_set": own} if own else {})})
    else:
        show_rule(found, settings, tenant, own)


@app.command("set")
def set_(
    rule: RuleArgument,
    *,
    tenant: OfTenant,
    threshold: Annotated[int, typer.Option("--threshold", help="The tenant's threshold, in the rule's unit.")],
    reason: Reason,
    author: Author = "",
) -> None:
    """Set a tenant's threshold for a rule. `mspbyte replay` shows beforehand what it would change."""
    found = rule_named(rule)
    value = checked_threshold(found, threshold)
    why = _said(reason)
    with opened_database() as database, database.begin() as connection:
        owner = find_tenant(connection, tenant)
        set_threshold(
            connection,
            owner,
            found.alert_type,
            value,
            reason=why,
            author=_author(author),
            now=current_time(),
        )
        legacy = on_legacy(connection, owner)
    unit = threshold_of(found).unit
    say(f"{found.id} of {owner.name} has a threshold of {value} {unit}. {FROM_THEN_ON.format(quoted(owner.name))}")
    if legacy and found.alert_type is not AlertType.STALE_USER:
        tell(f"{owner.name} is on the legacy branch, which does not know it: it counts once the tenant is on new.")


@app.command()
def clear(rule: RuleArgument, *, tenant: OfTenant) -> None:
    """Take a tenant back to the rule's own threshold."""
    found = rule_named(rule)
    threshold = threshold_of(found)
    with opened_database() as database, database.begin() as connection:
        owner = find_tenant(connection, tenant)
        cleared = clear_threshold(connection, owner, found.alert_type)
    default = f"{threshold.default} {threshold.unit}"
    if cleared:
        say(f"{found.id} of {owner.name} is back at {default}. {FROM_THEN_ON.format(quoted(owner.name))}")
    else:
        say(f"{found.id} of {owner.name} has no threshold of its own; it is at {default} already.")


@app.command()
def exempt(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")],
    *,
    user: Annotated[str, typer.Option("--user", metavar="UPN", help="A user: name or id.")] = "",
    group: Annotated[str, typer.Option("--group", metavar="NAME", help="Everybody in a group: name or id.")] = "",
    shared_mailbox: Annotated[
        str, typer.Option("--shared-mailbox", metavar="UPN", help="A shared mailbox, to which nobody signs in.")
    ] = "",
    break_glass: Annotated[str, typer.Option("--break-glass", metavar="UPN", help="An emergency account.")] = "",
    rule: Annotated[
        str, typer.Option("--rule", metavar="RULE", help="From this rule only; by default from all that can spare it.")
    ] = "",
    reason: Reason,
    until: Annotated[str, typer.Option("--until", metavar="ISO", help="Until this time.")] = "",
    days: Annotated[int | None, typer.Option("--days", min=1, max=3650, help="For so many days.")] = None,
    author: Author = "",
) -> None:
    """Leave an account or group alone, for as long as it is accepted.

    A user or group is left alone by every rule, a shared mailbox or emergency account by those that say so
    (`mspbyte rules show RULE`), and by `break_glass_locked_out` an emergency account is watched over.
    """
    kind, name = _chosen(
        {
            ExemptionKind.USER: user,
            ExemptionKind.GROUP: group,
            ExemptionKind.SHARED_MAILBOX: shared_mailbox,
            ExemptionKind.BREAK_GLASS: break_glass,
        }
    )
    found = rule_named(rule) if rule else None
    check_exemptible(found, kind)
    why, now = _said(reason), current_time()
    expires_at = _end(until, days, now)
    entity_type = EntityType.GROUPS if kind is ExemptionKind.GROUP else EntityType.IDENTITIES
    with opened_database() as database, database.begin() as connection:
        owner = find_tenant(connection, tenant)
        account = find_account(connection, owner, entity_type, name)
        alert_type = found.alert_type if found else None
        add_exemption(
            connection,
            owner,
            account,
            Exemption(kind=kind, external_id=account.external_id, alert_type=alert_type),
            reason=why,
            author=_author(author),
            now=now,
            expires_at=expires_at,
        )
        legacy = on_legacy(connection, owner)
    from_what = f"from {found.id}" if found else "from every rule that can spare it"
    end = f" until {shown(expires_at)} UTC" if expires_at else ""
    say(f"{account.name} is exempt {from_what}{end}. {FROM_THEN_ON.format(quoted(owner.name))}")
    if legacy:
        tell(f"{owner.name} is on the legacy branch, which makes no exceptions: it counts once the tenant is on new.")


@app.command()
def exemptions(*, tenant: TenantOption = None, as_json: AsJson = False) -> None:
    """List whom the rules leave alone, why, and until when."""
    with opened_database() as database, database.begin() as connection:
        found = list_exemptions(connection, reach_of(connection, tenant))
    if as_json:
        print_json([exemption_document(one) for one in found])
    else:
        show_exemptions(found, current_time())


@app.command()
def unexempt(exemption: Annotated[str, typer.Argument(metavar="EXEMPTION", help="Its id, or the beginning.")]) -> None:
    """End an exemption. What it hid is an alert again after the next analysis."""
    listing = "mspbyte rules exemptions"
    ids = id_range(exemption, "exemption", listing)
    with opened_database() as database, database.begin() as connection:
        near = exemptions_between(connection, ids.first, ids.last, most=FOUND_AT_MOST)
        remove_exemptions(connection, [only_one(near, exemption, "exemption", listing)])
    say("The exemption is gone; the next analysis counts without it.")


@app.command()
def coverage(*, tenant: TenantOption = None, as_json: AsJson = False) -> None:
    """Show how far each rule got: when it was last evaluated, on how much, and why not where it was not."""
    with opened_database() as database, database.begin() as connection:
        lines = coverage_lines(connection, reach_of(connection, tenant))
    if as_json:
        print_json(lines)
    else:
        show_coverage(lines)


def _settings(tenant: str | None) -> RuleSettings:
    """What is in force for the tenant; without one no database is asked."""
    if tenant is None:
        return DEFAULT_SETTINGS
    with opened_database() as database, database.begin() as connection:
        return load_rule_settings(connection, find_tenant(connection, tenant), current_time())


def _chosen(named: dict[ExemptionKind, str]) -> tuple[ExemptionKind, str]:
    given = [(kind, name.strip()) for kind, name in named.items() if name.strip()]
    if len(given) != 1:
        raise UserError("Name one of --user, --group, --shared-mailbox and --break-glass.")
    return given[0]


def _end(until: str, days: int | None, now: datetime) -> datetime | None:
    if until and days is not None:
        raise UserError("--until and --days say the same in two ways; give one of them.")
    end = parsed_moment(until, "--until") if until else now + timedelta(days=days) if days is not None else None
    if end is not None and end <= now:
        raise UserError(f"--until is {until}, which is past; give a time to come.")
    return end


def _said(reason: str) -> str:
    if not reason.strip():
        raise UserError("--reason is empty; say why, in a few words.")
    return reason.strip()


def _author(author: str) -> str:
    if author.strip():
        return author.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in a container
        raise UserError("Who you are cannot be told here; say it with --author.") from None
