"""What subscribers are told: https://learn.microsoft.com/graph/api/resources/changenotification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from graphsim.directory.tenants import Json, timestamp
from graphsim.world.changes import Change, Kind, Resource
from graphsim.world.state import TenantState
from graphsim.world.subscribed import Subscription

TYPES = {Resource.USERS: "User", Resource.GROUPS: "Group"}
"""The resources that can be subscribed to, and the name of their objects' type."""
_UNTOLD = frozenset({"signInActivity", "authenticationMethods"})
"""Kept outside the directory: their changes notify nobody."""
REMOVED = "subscriptionRemoved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """``body`` for ``url``. ``final`` is told even though its subscription is gone: that it is gone."""

    url: str
    body: Json
    state: TenantState
    subscription_id: str
    final: bool = False

    @property
    def wanted(self) -> bool:
        """Whether the subscription is still there to be told."""
        return self.final or any(
            each.id == self.subscription_id for each in self.state.subscriptions.live(self.state.seconds)
        )


def collect(state: TenantState) -> list[Notification]:
    """Everything that has to be told since the last call; calling again gives nothing."""
    held, changes = state.subscriptions, state.log.between(state.subscriptions.sent, state.log.last)
    held.sent = state.log.last
    found: list[Notification] = []
    live = held.live(state.seconds) if state.consent else []  # who may not read is not told
    for change in changes:
        found += [_changed(state, each, change) for each in live if matches(each, change)]
    while held.events:
        event = held.events.popleft()
        if event.subscription.lifecycle_url:
            found.append(_lifecycle(state, event.subscription, event.event))
    return found


def matches(subscription: Subscription, change: Change) -> bool:
    """Whether a subscription wants to hear of a change."""
    return (
        change.resource is subscription.resource
        and change.sequence > subscription.since
        and subscription.object_id in {"", change.id}
        and change_type(change) in subscription.change_types
        and not (change.properties and change.properties <= _UNTOLD)
    )


def change_type(change: Change) -> str:
    """Creating, restoring and putting into the recycle bin are updates, only purging is a deletion.

    https://learn.microsoft.com/graph/api/resources/change-notifications-api-overview
    """
    return "deleted" if change.kind is Kind.PURGED else "updated"


def _changed(state: TenantState, subscription: Subscription, change: Change) -> Notification:
    type_name = TYPES[change.resource]
    address = f"{type_name}s/{change.id}"
    body = _about(state, subscription) | {
        "changeType": change_type(change),
        "resource": address,
        "resourceData": {"@odata.type": f"#Microsoft.Graph.{type_name}", "@odata.id": address, "id": change.id},
    }
    return Notification(url=subscription.notification_url, body=body, state=state, subscription_id=subscription.id)


def _lifecycle(state: TenantState, subscription: Subscription, event: str) -> Notification:
    body = _about(state, subscription) | {"lifecycleEvent": event}
    return Notification(
        url=subscription.lifecycle_url,
        body=body,
        state=state,
        subscription_id=subscription.id,
        final=event == REMOVED,
    )


def _about(state: TenantState, subscription: Subscription) -> Json:
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": timestamp(datetime.fromtimestamp(subscription.expires_at, UTC)),
        "clientState": subscription.client_state,
        "tenantId": state.tenant.id,
    }
