"""Subscriptions to change notifications: one row for each resource a source is, or should be, subscribed to.

The secret ``clientState`` is never stored, only its SHA-256. A row without Microsoft's id is a subscription that is
still to be made, with what went wrong so far.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, text

from pipeline.domain.runs import Scope
from pipeline.domain.subscriptions import Action, Candidate, Subscription, WantedAction
from pipeline.storage.bulk import json_rows

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(hours=6)
"""After a failed attempt; each further one doubles the pause, up to the longest."""

CANDIDATES = text("""
SELECT d.id AS source_id, d.tenant_id, r.resource, d.refusals > 0 AS refused,
       d.enabled AND d.provider = :provider AS wanted,
       s.source_id IS NOT NULL AS known, s.subscription_id, s.url, s.expires_at, s.wanted_action, s.next_attempt_at
  FROM data_sources d
 CROSS JOIN unnest(CAST(:resources AS text[])) AS r(resource)
  LEFT JOIN notification_subscriptions s ON s.source_id = d.id AND s.resource = r.resource
 WHERE (CAST(:tenant_id AS int) IS NULL OR d.tenant_id = :tenant_id)
   AND (:at_once OR s.next_attempt_at IS NULL OR s.next_attempt_at <= :now)
   AND CASE WHEN d.enabled AND d.provider = :provider AND CAST(:url AS text) IS NOT NULL
            THEN d.refusals = 0
                 AND (s.subscription_id IS NULL OR s.url <> :url OR s.wanted_action <> '' OR s.expires_at <= :horizon)
            ELSE s.source_id IS NOT NULL
       END
 ORDER BY s.wanted_action > '' DESC NULLS LAST, s.expires_at NULLS LAST, d.id, r.resource
 LIMIT :most
""")


def candidates(
    connection: Connection,
    now: datetime,
    *,
    provider: str,
    resources: Sequence[str],
    url: str | None,
    horizon: datetime,
    most: int,
    tenant_id: int | None = None,
    at_once: bool = False,
) -> list[Candidate]:
    """What something may have to be done about, the most urgent first: one statement, however many sources there are.

    ``url`` is where notifications are to go, ``None`` for nowhere; what ends by ``horizon`` is near its end.
    ``at_once`` passes over the pauses after failures.
    """
    rows = connection.execute(
        CANDIDATES,
        {
            "now": now,
            "provider": provider,
            "resources": list(resources),
            "url": url,
            "horizon": horizon,
            "most": most,
            "tenant_id": tenant_id,
            "at_once": at_once,
        },
    )
    return [
        Candidate(
            scope=Scope(tenant_id=row.tenant_id, source_id=row.source_id),
            resource=row.resource,
            wanted=row.wanted,
            refused=row.refused,
            stored=_stored(row) if row.known else None,
        )
        for row in rows
    ]


def _stored(row: Row[tuple[object, ...]]) -> Subscription:
    return Subscription(
        id=row.subscription_id,
        url=row.url,
        expires_at=row.expires_at,
        wanted=WantedAction(row.wanted_action),
        next_attempt_at=row.next_attempt_at,
    )


# Two ticks may overlap, and a person may ask beside them: whoever moves the row's next attempt does the work. A worker
# that is killed meanwhile leaves the action to the first tick after that moment.
CLAIM = text("""
INSERT INTO notification_subscriptions AS s (source_id, tenant_id, resource, next_attempt_at, created_at)
SELECT w.source_id, w.tenant_id, w.resource, :until, :now
  FROM json_to_recordset(CAST(convert_from(:wanted, 'UTF8') AS json)) AS w(source_id int, tenant_id int, resource text)
  JOIN data_sources d ON d.id = w.source_id AND d.tenant_id = w.tenant_id
 ORDER BY w.source_id, w.resource
ON CONFLICT (source_id, resource) DO UPDATE SET next_attempt_at = excluded.next_attempt_at
   WHERE :at_once OR s.next_attempt_at IS NULL OR s.next_attempt_at <= :now
RETURNING source_id, resource
""")


def claim(
    connection: Connection, actions: Sequence[Action], now: datetime, *, until: datetime, at_once: bool = False
) -> list[Action]:
    """Those of the actions that nobody else is at, now this caller's until that moment: one statement."""
    rows = [
        {"source_id": one.scope.source_id, "tenant_id": one.scope.tenant_id, "resource": one.resource}
        for one in actions
    ]
    claimed = connection.execute(CLAIM, {"wanted": json_rows(rows), "now": now, "until": until, "at_once": at_once})
    mine = {(row.source_id, row.resource) for row in claimed}
    return [one for one in actions if (one.scope.source_id, one.resource) in mine]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSubscription:
    """A subscription Microsoft has made. ``directory_id`` is the tenant as notifications name it."""

    id: str
    directory_id: str
    url: str
    client_state_hash: bytes = field(repr=False)
    expires_at: datetime


# In both: what was asked for while the action was under way was asked for later than what it did, and stays.
RECORD = text("""
UPDATE notification_subscriptions
   SET subscription_id = :id, directory_id = :directory_id, url = :url, client_state_hash = :client_state_hash,
       expires_at = :expires_at, created_at = :now, failures = 0, last_error = '', next_attempt_at = NULL,
       wanted_action = CASE WHEN wanted_action = :seen THEN '' ELSE wanted_action END
 WHERE source_id = :source_id AND tenant_id = :tenant_id AND resource = :resource
""")
RENEW = text("""
UPDATE notification_subscriptions
   SET expires_at = :expires_at, failures = 0, last_error = '', next_attempt_at = NULL,
       wanted_action = CASE WHEN wanted_action = :seen THEN '' ELSE wanted_action END
 WHERE source_id = :source_id AND tenant_id = :tenant_id AND resource = :resource
""")
DROP = text("""
DELETE FROM notification_subscriptions
 WHERE source_id = :source_id AND tenant_id = :tenant_id AND resource = :resource
""")
FAIL = text("""
UPDATE notification_subscriptions
   SET failures = failures + 1, last_error = :reason,
       next_attempt_at = :now + greatest(
           CAST(:asked_for AS interval),
           (0.9 + 0.2 * random())
           * least(CAST(:longest AS interval), CAST(:first AS interval) * power(2, least(failures, 16))))
 WHERE source_id = :source_id AND tenant_id = :tenant_id AND resource = :resource
""")
RELEASE = text("""
UPDATE notification_subscriptions SET next_attempt_at = NULL
 WHERE source_id = :source_id AND tenant_id = :tenant_id AND resource = :resource
""")


OF_OTHERS = text("""
SELECT subscription_id FROM notification_subscriptions
 WHERE subscription_id = ANY(CAST(:ids AS text[])) AND source_id <> :source_id
""")


def of_others(connection: Connection, scope: Scope, ids: Collection[str]) -> frozenset[str]:
    """Those of Microsoft's ids, in small letters, that are stored for another source than this one."""
    values = {"ids": list(ids), "source_id": scope.source_id}
    return frozenset(connection.execute(OF_OTHERS, values).scalars())


def record(connection: Connection, action: Action, made: NewSubscription, now: datetime) -> bool:
    """Stores a subscription just made; false when the source is gone meanwhile."""
    values = {
        "id": made.id.lower(),
        "directory_id": made.directory_id,
        "url": made.url,
        "client_state_hash": made.client_state_hash,
        "expires_at": made.expires_at,
    }
    return connection.execute(RECORD, {**values, **_key(action), "seen": action.wanted.value, "now": now}).rowcount == 1


def renew(connection: Connection, action: Action, expires_at: datetime) -> None:
    """Stores a subscription's new end."""
    connection.execute(RENEW, {**_key(action), "seen": action.wanted.value, "expires_at": expires_at})


def drop(connection: Connection, action: Action) -> None:
    """Forgets a subscription that is deleted."""
    connection.execute(DROP, _key(action))


def fail(
    connection: Connection, action: Action, reason: str, now: datetime, *, asked_for: timedelta = timedelta()
) -> None:
    """Stores why an action failed, and lets it rest: longer each time, and as long as the tenant asked for."""
    pauses = {"first": FIRST_PAUSE, "longest": LONGEST_PAUSE, "asked_for": asked_for}
    connection.execute(FAIL, {**_key(action), **pauses, "reason": reason, "now": now})


def release(connection: Connection, action: Action) -> None:
    """Gives back a claimed action that was not begun: it is due at once."""
    connection.execute(RELEASE, _key(action))


def _key(action: Action) -> dict[str, object]:
    return {
        "source_id": action.scope.source_id,
        "tenant_id": action.scope.tenant_id,
        "resource": action.resource,
    }
