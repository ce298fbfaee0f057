"""A source's access to its tenant: the credentials it has, and how often in a row the tenant refused them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import DataSource, Scope

COUNT = text("""
UPDATE data_sources SET refusals = refusals + 1, refused_since = coalesce(refused_since, :now)
 WHERE id = :source_id AND tenant_id = :tenant_id AND credentials = :credentials
RETURNING refusals
""")


def count_refusal(connection: Connection, source: DataSource, now: datetime) -> int | None:
    """How often in a row the tenant has refused the source, this time included.

    ``None``, and nothing is counted, where the source has got other credentials since: they were not refused.
    """
    values = {
        "source_id": source.scope.source_id,
        "tenant_id": source.scope.tenant_id,
        "credentials": source.credentials,
        "now": now,
    }
    return connection.execute(COUNT, values).scalar()


HOLD_BACK = text("""
UPDATE schedules
   SET next_due_at = CASE WHEN sync_type = ANY(CAST(:again AS text[])) THEN :until
                          ELSE greatest(next_due_at, :until) END
 WHERE source_id = :source_id
""")


def hold_back(connection: Connection, scope: Scope, until: datetime, again: Collection[SyncType]) -> None:
    """Nothing of the source is due before ``until``; what is to be tried ``again`` is due then."""
    names = [kind.value for kind in again]
    connection.execute(HOLD_BACK, {"source_id": scope.source_id, "until": until, "again": names})


READMIT = text("""
WITH back AS (
    UPDATE data_sources SET refusals = 0, refused_since = NULL
     WHERE id = :source_id AND tenant_id = :tenant_id AND refused_since IS NOT NULL
    RETURNING id
)
UPDATE schedules s SET next_due_at = least(s.next_due_at, :now)
  FROM back WHERE s.source_id = back.id AND NOT s.sync_type = ANY(CAST(:read AS text[]))
""")


def readmit(connection: Connection, scope: Scope, read: Collection[SyncType], now: datetime) -> None:
    """Ends a time of refusals: all but what was ``read`` just now is due at once. Otherwise does nothing."""
    connection.execute(
        READMIT,
        {
            "source_id": scope.source_id,
            "tenant_id": scope.tenant_id,
            "read": [kind.value for kind in read],
            "now": now,
        },
    )


# Another application can neither renew nor end what the former one has subscribed to: its own are made.
REPLACE = text("""
WITH given AS (
    UPDATE data_sources
       SET credentials = :credentials, client_id = coalesce(CAST(:client_id AS text), client_id), refusals = 0
     WHERE id = :source_id AND tenant_id = :tenant_id
    RETURNING id
), former AS (
    DELETE FROM notification_subscriptions n USING data_sources d
     WHERE n.source_id = :source_id AND n.tenant_id = :tenant_id AND d.id = n.source_id
       AND d.client_id <> CAST(:client_id AS text)
)
UPDATE schedules s SET next_due_at = least(s.next_due_at, :now) FROM given WHERE s.source_id = given.id
""")


def replace_credentials(
    connection: Connection, scope: Scope, credentials: bytes, now: datetime, *, client_id: str | None = None
) -> None:
    """Gives the source new sealed credentials, of another application if one is named; everything is due at once.

    Whether the tenant takes them is for that run to say, so it counts as refused until then.
    """
    values = {"source_id": scope.source_id, "tenant_id": scope.tenant_id, "credentials": credentials, "now": now}
    connection.execute(REPLACE, {**values, "client_id": client_id})
