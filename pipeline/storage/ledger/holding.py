"""A step in a worker's hands: claimed, and kept by heartbeats."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, RowMapping, text

from pipeline.domain.capture import LastReading, Resource, SyncType
from pipeline.domain.rule_settings import FIRST_TIME
from pipeline.domain.runs import Branch, ClaimedStep, DataSource, Lane, Parts, Run, Scope, StepRef, Trigger
from pipeline.storage.ledger.steps import key_of
from pipeline.storage.rules import rule_state

MAX_LOSSES = 10
"""Workers one step may lose before something is wrong with it rather than around it."""


READINGS = msgspec.json.Decoder(dict[Resource, LastReading])

# A run that failed may have written what it never analyzed: whatever was evaluated before it is evaluated anew.
CLAIM = text("""
UPDATE run_steps s
   SET state = 'running', attempts = s.attempts + 1, losses = s.losses + CAST(s.state = 'running' AS int),
       heartbeat_at = :now, started_at = :now,
       deadline_at = coalesce(s.deadline_at, :deadline_at)
  FROM runs r JOIN data_sources d ON d.id = r.source_id JOIN tenants t ON t.id = r.tenant_id
 WHERE s.run_id = :run_id AND s.lane = :lane AND s.stage = :stage AND s.fence = :fence
   AND s.state IN ('pending', 'dispatched', 'waiting', 'running')
   AND (s.due_at IS NULL OR s.due_at <= :now)
   AND r.id = s.run_id AND r.state = 'running'
   AND NOT EXISTS (
       SELECT 1 FROM run_steps p
        WHERE p.run_id = s.run_id AND p.position < s.position
          AND (p.lane = s.lane OR p.lane = 'main' OR s.lane = 'main')
          AND p.state NOT IN ('done', 'failed', 'skipped'))
RETURNING s.attempts, s.losses, r.id, r.tenant_id, r.source_id, r.trace_id, r.trigger, r.sync_types, r.branch, r.parts,
          r.created_at, s.deadline_at, r.compare, r.entity_counts, t.name AS tenant,
          d.provider, d.external_tenant_id, d.client_id, d.credentials, d.refused_since,
          (SELECT p.detail FROM run_steps p WHERE p.run_id = s.run_id AND p.lane = s.lane
              AND p.position < s.position ORDER BY p.position DESC LIMIT 1) AS handed,
          CASE WHEN s.stage = 'load' THEN
              (SELECT json_object_agg(i.resource, i)::text FROM source_inputs i WHERE i.source_id = r.source_id)
          END AS readings,
          CASE WHEN s.stage = 'analyze' THEN
              json_build_object(
                  'thresholds', (SELECT coalesce(json_object_agg(p.alert_type, p.threshold), '{}')
                                   FROM tenant_alert_preferences p
                                  WHERE p.tenant_id = r.tenant_id AND p.threshold IS NOT NULL),
                  'exemptions', (SELECT coalesce(json_agg(json_build_object('kind', x.kind, 'alert_type', x.alert_type,
                                                                            'external_id', x.external_id)
                                                          ORDER BY x.kind, x.external_id, x.alert_type), '[]')
                                   FROM rule_exemptions x
                                  WHERE x.source_id = r.source_id AND (x.expires_at IS NULL OR x.expires_at > :now)),
                  'grants', (SELECT json_agg(json_build_array(g.external_id, g.role_id, g.since))
                               FROM role_grants g WHERE g.source_id = r.source_id),
                  'fingerprints', (SELECT coalesce(json_object_agg(c.alert_type, c.fingerprint), '{}')
                                     FROM rule_coverage c
                                    WHERE c.source_id = r.source_id AND c.fingerprint <> ''
                                      AND c.evaluated_at > coalesce((
                                          SELECT max(f.finished_at) FROM runs f
                                           WHERE f.tenant_id = r.tenant_id AND f.source_id = r.source_id
                                             AND f.state = 'failed'), '-infinity'))
              )::text
          END AS rules
""")


def claim(connection: Connection, ref: StepRef, now: datetime, timeout: timedelta) -> ClaimedStep | None:
    """The step with its run, now held under its fence; ``None`` when there is nothing to do.

    The first claim sets the step's deadline: waiting in a long queue counts against nobody.
    Nothing to do: done already, fenced out, not its turn, not due, or the run has ended.
    """
    row = (
        connection.execute(CLAIM, {**key_of(ref), "fence": ref.fence, "now": now, "deadline_at": now + timeout})
        .mappings()
        .first()
    )
    if row is None:
        return None
    return ClaimedStep(
        ref=ref,
        run=_run(row),
        attempts=row["attempts"],
        losses=row["losses"],
        handed=row["handed"] or {},
        last_readings=READINGS.decode(row["readings"] or "{}"),
        rules=rule_state(row["rules"]) if row["rules"] else FIRST_TIME,
    )


def _run(row: RowMapping) -> Run:
    return Run(
        id=row["id"],
        source=DataSource(
            scope=Scope(tenant_id=row["tenant_id"], source_id=row["source_id"]),
            tenant=row["tenant"],
            provider=row["provider"],
            external_tenant_id=row["external_tenant_id"],
            client_id=row["client_id"],
            credentials=bytes(row["credentials"]),
            refused_since=row["refused_since"],
        ),
        trace_id=row["trace_id"],
        trigger=Trigger(row["trigger"]),
        sync_types=tuple(SyncType(name) for name in row["sync_types"]),
        compare=row["compare"],
        branch=Branch(row["branch"]) if row["branch"] else None,
        parts={Lane(lane): Parts(**parts) for lane, parts in row["parts"].items()},
        created_at=row["created_at"],
        deadline_at=row["deadline_at"],
        entity_counts=row["entity_counts"],
    )


HEARTBEAT = text("""
UPDATE run_steps SET heartbeat_at = :now
 WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence AND state = 'running'
""")


def heartbeat(connection: Connection, ref: StepRef, now: datetime) -> bool:
    """Says the worker still lives; False when it no longer holds the step."""
    return connection.execute(HEARTBEAT, {**key_of(ref), "fence": ref.fence, "now": now}).rowcount == 1
