"""Subscriptions to change notifications as a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.storage.reports.reach import Reach


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionSummary:
    """What is subscribed to for one source, or was to be: ``last_error`` says why it is not, or not for long."""

    tenant: str
    source_id: int
    resource: str
    subscription_id: str | None
    url: str
    expires_at: datetime | None
    wanted_action: str
    notifications: int
    last_notification_at: datetime | None
    failures: int
    last_error: str
    next_attempt_at: datetime | None


SUBSCRIPTIONS = text("""
SELECT t.name AS tenant, s.source_id, s.resource, s.subscription_id, s.url, s.expires_at, s.wanted_action,
       s.notifications, s.last_notification_at, s.failures, s.last_error, s.next_attempt_at
  FROM notification_subscriptions s JOIN tenants t ON t.id = s.tenant_id
 WHERE CAST(:tenant_id AS int) IS NULL OR s.tenant_id = :tenant_id
 ORDER BY t.name, s.source_id, s.resource DESC
""")


def subscription_summaries(connection: Connection, reach: Reach) -> list[SubscriptionSummary]:
    """Subscriptions by tenant: one statement."""
    rows = connection.execute(SUBSCRIPTIONS, {"tenant_id": reach.tenant_id}).mappings()
    return [SubscriptionSummary(**row) for row in rows]
