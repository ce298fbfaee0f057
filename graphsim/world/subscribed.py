"""The subscriptions to a tenant's changes, as they are kept: https://learn.microsoft.com/graph/api/resources/subscription.

``subscriptions`` is how applications make them, ``delivery`` what serves them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from graphsim.world.changes import Resource


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Times are seconds since 1970. ``object_id`` is empty for a whole list. ``resource_text`` is as it was given."""

    id: str
    resource: Resource
    object_id: str
    resource_text: str
    change_types: frozenset[str]
    notification_url: str
    lifecycle_url: str
    client_state: str
    expires_at: float
    since: int
    """The change log's last number when it was made: earlier changes are none of its business."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LifecycleEvent:
    """Something to tell about the subscription itself: ``event`` is one of Microsoft's lifecycle events."""

    subscription: Subscription
    event: str


@dataclass(kw_only=True, slots=True)
class Subscriptions:
    """``held`` by id, ``sent`` how far the change log was turned into notifications, ``events`` still to be told."""

    held: dict[str, Subscription] = field(default_factory=dict)
    sent: int = 0
    events: deque[LifecycleEvent] = field(default_factory=deque)

    def live(self, at: float) -> list[Subscription]:
        """Those that have not expired; the others are forgotten, as Graph deletes them."""
        for key in [each.id for each in self.held.values() if each.expires_at <= at]:
            del self.held[key]
        return list(self.held.values())
