"""What Microsoft tells us: notifications are checked one by one, and the good ones become debounced syncs.

https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import structlog

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope, Trigger
from pipeline.domain.subscriptions import SYNC_TYPE_OF, WantedAction
from pipeline.settings import Settings
from pipeline.stages.cadence import APPLY_CHANGES
from pipeline.storage.database import Database, bound_statements
from pipeline.storage.notifications import Known, Told, known, note
from pipeline.storage.schedules import Debounce, request_syncs

log = structlog.get_logger(__name__)

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}\Z")]
MOST_ITEMS = 4_096
"""More than fit into the longest body there is, unless they are made to keep us busy."""
STATEMENT_MS = 800
"""Somebody waits for the answer."""
NO_HASH = bytes(hashlib.sha256().digest_size)
"""What the state of an unknown subscription is compared with, so that it takes the same time."""


class Notification(msgspec.Struct, rename="camel", kw_only=True):
    """One item; what else it holds is of no use here, for the change itself is read from Graph.

    https://learn.microsoft.com/graph/api/resources/changenotification
    """

    subscription_id: Id
    tenant_id: Id
    client_state: str = ""
    lifecycle_event: str | None = None


class Delivery(msgspec.Struct):
    """One POST. The items are looked at one by one: one of an unknown shape must not cost the others."""

    value: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_ITEMS)]


LIFECYCLE: Mapping[str, tuple[WantedAction, bool]] = {
    "reauthorizationRequired": (WantedAction.REAUTHORIZE, False),
    "subscriptionRemoved": (WantedAction.RECREATE, True),
    "missed": (WantedAction.NOTHING, True),
}
"""What is wanted after each event, and whether changes may have been missed:
https://learn.microsoft.com/graph/change-notifications-lifecycle-events"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a delivery comes to. ``ignored`` counts items by reason; none of their content is kept."""

    told: Mapping[str, Told] = field(default_factory=dict)
    syncs: Mapping[Scope, frozenset[SyncType]] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)


NO_DELIVERY = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What ``items_of`` raises; the last for JSON nested so deeply that it is meant to keep us busy."""


def items_of(body: bytes) -> list[Notification | None]:
    """The items of a delivery, ``None`` for one of another shape; raises one of ``NO_DELIVERY``."""
    return [_item(raw) for raw in msgspec.json.decode(body, type=Delivery).value]


def _item(raw: msgspec.Raw) -> Notification | None:
    try:
        return msgspec.json.decode(raw, type=Notification)
    except NO_DELIVERY:
        return None


def judge(items: Iterable[Notification | None], stored: Mapping[str, Known]) -> Verdict:
    """Checks each item against what is stored under its id, and sums up those that hold. Pure."""
    told: dict[str, Told] = {}
    syncs: dict[Scope, frozenset[SyncType]] = {}
    ignored: Counter[str] = Counter()
    for item in items:
        reason = _objection(item, stored)
        if item is None or reason:
            ignored[reason] += 1
            continue
        found, id_ = stored[item.subscription_id.lower()], item.subscription_id.lower()
        wanted, missed = LIFECYCLE[item.lifecycle_event] if item.lifecycle_event else (WantedAction.NOTHING, True)
        before = told.get(id_, Told())
        told[id_] = replace(
            before,
            changes=before.changes + (item.lifecycle_event is None),
            wanted=max(before.wanted, wanted, key=list(WantedAction).index),
        )
        if missed:
            syncs[found.scope] = syncs.get(found.scope, frozenset()) | {SYNC_TYPE_OF[found.resource]}
    return Verdict(told=told, syncs=syncs, ignored=ignored)


def _objection(item: Notification | None, stored: Mapping[str, Known]) -> str:
    """Why an item is ignored, empty when it holds. The secret is compared first and always, in constant time."""
    if item is None:
        return "of another shape"
    found = stored.get(item.subscription_id.lower())
    given = hashlib.sha256(item.client_state.encode("utf-8", "surrogatepass")).digest()
    genuine = hmac.compare_digest(given, found.client_state_hash if found else NO_HASH)
    if found is None:
        return "of an unknown subscription"
    if not genuine:
        return "with a wrong clientState"
    if item.tenant_id.lower() != found.directory_id.lower():
        return "of another tenant"
    if item.lifecycle_event and item.lifecycle_event not in LIFECYCLE:
        return "of an unknown event"
    return ""


def debounce_of(settings: Settings) -> Debounce:
    """How notifications of a source gather: whoever reads changes is soon done."""
    return Debounce(
        quiet=timedelta(milliseconds=settings.debounce_quiet_ms),
        limit=timedelta(milliseconds=settings.max_debounce_window_ms),
        linkers=APPLY_CHANGES,
    )


def receive(database: Database, items: Sequence[Notification | None], now: datetime, debounce: Debounce) -> Verdict:
    """Stores what a delivery tells: when this returns, all of it is committed.

    Raises ``TransientError`` when it could not be stored. Delivered twice, it is counted twice and syncs once.
    """
    with database.begin() as connection:
        bound_statements(connection, STATEMENT_MS)
        stored = known(connection, {item.subscription_id.lower() for item in items if item is not None})
        verdict = judge(items, stored)
        if verdict.told:
            note(connection, verdict.told, now)
        if verdict.syncs:
            request_syncs(connection, verdict.syncs, now, trigger=Trigger.WEBHOOK, debounce=debounce)
    if verdict.ignored:
        log.warning("notifications_ignored", reasons=dict(verdict.ignored))
    return verdict
