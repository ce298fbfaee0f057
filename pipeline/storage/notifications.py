"""What a delivery of change notifications is checked against, and what is kept of it: counters and wishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.domain.runs import Scope
from pipeline.domain.subscriptions import WantedAction
from pipeline.storage.bulk import json_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a notification is checked against."""

    scope: Scope
    resource: str
    directory_id: str
    client_state_hash: bytes = field(repr=False)


KNOWN = text("""
SELECT s.subscription_id, s.tenant_id, s.source_id, s.resource, s.directory_id, s.client_state_hash
  FROM notification_subscriptions s JOIN data_sources d ON d.id = s.source_id AND d.enabled
 WHERE s.subscription_id = ANY(:ids)
""")


def known(connection: Connection, ids: Collection[str]) -> dict[str, Known]:
    """The subscriptions of these ids, of sources that are enabled."""
    return {
        row.subscription_id: Known(
            scope=Scope(tenant_id=row.tenant_id, source_id=row.source_id),
            resource=row.resource,
            directory_id=row.directory_id,
            client_state_hash=bytes(row.client_state_hash),
        )
        for row in connection.execute(KNOWN, {"ids": list(ids)})
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What one delivery told of a subscription: how many changes, and what is asked for."""

    changes: int = 0
    wanted: WantedAction = WantedAction.NOTHING


# The rows are locked in a fixed order first, so that deliveries that mix the same subscriptions never wait in a ring.
NOTE = text("""
WITH told AS (
    SELECT * FROM json_to_recordset(CAST(convert_from(:told, 'UTF8') AS json)) AS t(id text, changes int, wanted text)
), held AS (
    SELECT s.subscription_id FROM notification_subscriptions s JOIN told ON told.id = s.subscription_id
     ORDER BY s.subscription_id FOR UPDATE OF s
)
UPDATE notification_subscriptions s
   SET notifications = s.notifications + told.changes,
       last_notification_at = CASE WHEN told.changes > 0 THEN :now ELSE s.last_notification_at END,
       wanted_action = CASE WHEN 'recreate' IN (s.wanted_action, told.wanted) THEN 'recreate'
                            WHEN told.wanted = '' THEN s.wanted_action
                            ELSE told.wanted END
  FROM told JOIN held ON held.subscription_id = told.id
 WHERE s.subscription_id = told.id
""")


def note(connection: Connection, told: Mapping[str, Told], now: datetime) -> None:
    """Counts what was told of each subscription and keeps what was asked for: one statement."""
    rows = [{"id": id_, "changes": one.changes, "wanted": one.wanted.value} for id_, one in told.items()]
    connection.execute(NOTE, {"told": json_rows(rows), "now": now})
