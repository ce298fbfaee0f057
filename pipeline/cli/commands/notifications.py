"""``mspbyte notifications``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.connections.environment import command_settings
from pipeline.cli.grammar import AsJson, TenantOption, noun
from pipeline.cli.pages.moments import current_time, shown
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.cli.pages.streams import complain, say, tell
from pipeline.errors import UserError
from pipeline.stages.subscriptions import Kept
from pipeline.storage.reports.reach import reach_of
from pipeline.storage.reports.subscriptions import SubscriptionSummary, subscription_summaries
from pipeline.subscribing import build_keeper

app = noun("What Microsoft tells us of by itself, so that a change need not wait for its schedule.")

FAILED = 1


@app.command("list")
def list_(*, tenant: TenantOption = None, as_json: AsJson = False) -> None:
    """List the subscriptions: until when, how much came, and what went wrong."""
    with opened_database() as database, database.begin() as connection:
        found = subscription_summaries(connection, reach_of(connection, tenant))
    if as_json:
        print_json(found)
    elif found:
        _show(found, current_time())
    elif command_settings().notification_url:
        say("There is no subscription yet; `mspbyte notifications refresh` makes what is missing.")
    else:
        say("NOTIFICATION_URL is not set here, and nothing is subscribed to: syncs come by their schedule alone.")


@app.command()
def refresh(*, tenant: TenantOption = None) -> None:
    """Make, renew or end now what the next minutes would; what failed is tried again at once."""
    _keep(tenant, remove=False)


@app.command()
def remove(*, tenant: TenantOption = None) -> None:
    """End the subscriptions at Microsoft and forget them; workers with NOTIFICATION_URL set make them again."""
    _keep(tenant, remove=True)


def _keep(tenant: str | None, *, remove: bool) -> None:
    settings = command_settings()
    if not remove and settings.notification_url is None:
        raise UserError(
            "NOTIFICATION_URL is not set here: set it as the workers have it, or end all subscriptions with "
            "`mspbyte notifications remove`."
        )
    done = failed = 0
    with opened_database() as database:
        keeper = replace(build_keeper(settings, database), url=None if remove else settings.notification_url)
        with database.begin() as connection:
            tenant_id = reach_of(connection, tenant).tenant_id
        pauses = False
        while (kept := keeper.keep(current_time(), tenant_id=tenant_id, pauses=pauses)) != Kept():
            done, failed, pauses = done + kept.done, failed + kept.failed, True
    say(f"{done} done, {failed} failed.")
    if failed:
        complain("`mspbyte notifications list` says why.")
        raise typer.Exit(FAILED)


def _show(found: list[SubscriptionSummary], now: datetime) -> None:
    dates = ("ends (UTC)", "last (UTC)")
    rows = table("tenant", "resource", "state", *dates, "received", right=("received",), whole=("resource", *dates))
    for one in found:
        rows.add_row(
            plain(one.tenant),
            one.resource,
            plain(_state(one, now)),
            shown(one.expires_at),
            shown(one.last_notification_at),
            str(one.notifications),
        )
    show(rows)
    for one in found:
        if one.last_error:
            tell(_trouble(one))


def _state(one: SubscriptionSummary, now: datetime) -> str:
    if one.subscription_id is None:
        return "not made yet"
    if one.expires_at is not None and one.expires_at <= now:
        return "expired"
    if one.wanted_action:
        return f"Microsoft asks to {one.wanted_action} it"
    return "active"


def _trouble(one: SubscriptionSummary) -> str:
    """What went wrong last, how often in a row, and when it is tried again."""
    often = "once" if one.failures == 1 else f"{one.failures} times"
    again = f", next try {shown(one.next_attempt_at)} UTC" if one.next_attempt_at else ""
    return plain(f"{one.resource} of {one.tenant} failed {often}{again}: {one.last_error}").plain
