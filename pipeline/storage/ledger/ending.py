"""How a step ends: completed with its effect, postponed, or failed for good."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.domain.runs import ClaimedStep, Lane, StepRef
from pipeline.errors import PipelineError
from pipeline.events import Event, JsonValue
from pipeline.storage.bulk import json_rows
from pipeline.storage.ledger.steps import key_of

LOCK_RUN = text("SELECT 1 FROM runs WHERE id = :run_id FOR UPDATE")

COMPLETE = text("""
WITH told AS (
    UPDATE run_steps
       SET state = 'done', finished_at = :now, error_code = NULL, error_message = NULL,
           detail = CAST(:detail AS jsonb), seconds = :seconds, queries = :queries, query_seconds = :query_seconds
     WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence AND state = 'running'
    RETURNING 1
), next AS (
    UPDATE run_steps s
       SET state = CASE WHEN CAST(:next_due_at AS timestamptz) IS NULL AND s.stage <> 'compare'
                        THEN 'dispatched' ELSE 'waiting' END,
           due_at = coalesce(CAST(:next_due_at AS timestamptz),
                             CASE WHEN s.stage = 'compare' THEN CAST(:now AS timestamptz) END),
           dispatched_at = :now
     WHERE s.run_id = :run_id AND s.state = 'pending' AND s.position > :position AND EXISTS (SELECT 1 FROM told)
       AND NOT EXISTS (
           SELECT 1 FROM run_steps p
            WHERE p.run_id = s.run_id AND p.position < s.position
              AND (p.lane = s.lane OR p.lane = 'main' OR s.lane = 'main')
              AND p.state NOT IN ('done', 'failed', 'skipped')
              AND NOT (p.lane = :lane AND p.stage = :stage))
), sent AS (
    INSERT INTO outbox (id, tenant_id, source_id, subject, payload, created_at)
    SELECT e.id, :tenant_id, :source_id, e.subject, e.payload, :now
      FROM json_to_recordset(CAST(convert_from(:events, 'UTF8') AS json)) AS e(id uuid, subject text, payload jsonb)
     WHERE EXISTS (SELECT 1 FROM told)
), ended AS (
    UPDATE runs
       SET entity_counts = entity_counts || CAST(:entities AS jsonb),
           state = CASE WHEN :more THEN state ELSE 'succeeded' END,
           finished_at = CASE WHEN :more THEN NULL ELSE CAST(:now AS timestamptz) END
     WHERE id = :run_id AND state = 'running' AND EXISTS (SELECT 1 FROM told)
)
SELECT count(*) FROM told
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class StepReport:
    """What a finished step leaves behind."""

    detail: Mapping[str, JsonValue]
    seconds: float
    queries: int
    query_seconds: float
    entities: Mapping[str, int]
    """Entities by type, for the run; those of a candidate are not the run's."""
    events: Iterable[Event]
    last: bool
    """The run ends with this step."""
    next_due_at: datetime | None = None
    """Not before this time may the next step begin."""


def complete(connection: Connection, step: ClaimedStep, report: StepReport, now: datetime) -> bool:
    """True when this transaction is the one whose effect counts; False: roll it back, the step is another's.

    Last statement of the transaction that holds the step's effect: sets it done, gives the turn to the next, puts
    the events into the outbox and ends the run after its last step. The lanes of a comparison end at the same time
    as often as not; each then takes the run's row lock first, so that the later one sees the earlier one's end and
    the comparison gets its turn exactly once. The comparison is made due rather than dispatched: where the chord that
    would ask for it is gone, because a lane was continued outside it, the reconciler asks at its next tick.
    """
    if step.ref.lane is not Lane.MAIN:
        connection.execute(LOCK_RUN, {"run_id": step.run.id})
    values = {
        **key_of(step.ref),
        "fence": step.ref.fence,
        "position": step.ref.stage.position,
        "tenant_id": step.run.scope.tenant_id,
        "source_id": step.run.scope.source_id,
        "detail": json.dumps(report.detail),
        "entities": json.dumps({} if step.ref.lane is Lane.CANDIDATE else dict(report.entities)),
        "seconds": report.seconds,
        "queries": report.queries,
        "query_seconds": report.query_seconds,
        "next_due_at": report.next_due_at,
        "more": not report.last,
        "events": json_rows(report.events),
        "now": now,
    }
    return bool(connection.execute(COMPLETE, values).scalar_one())


POSTPONE = text("""
UPDATE run_steps SET state = 'waiting', due_at = :due_at, error_code = :code, error_message = :message
 WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence AND state = 'running'
""")


def postpone(connection: Connection, ref: StepRef, due_at: datetime, error: PipelineError) -> None:
    """Another try of the step, not before ``due_at``; the reconciler asks for it then."""
    values = {"due_at": due_at, "code": type(error).__name__, "message": str(error)}
    connection.execute(POSTPONE, {**key_of(ref), "fence": ref.fence, **values})


FAIL_STEP = text("""
UPDATE run_steps SET state = 'failed', finished_at = :now, error_code = :code, error_message = :message
 WHERE run_id = :run_id AND lane = :lane AND stage = :stage AND fence = :fence
   AND state NOT IN ('done', 'failed', 'skipped')
RETURNING 1
""")
SKIP_LANE = text("""
UPDATE run_steps SET state = 'skipped', finished_at = :now
 WHERE run_id = :run_id AND (lane = :lane OR :whole_run) AND state NOT IN ('done', 'failed', 'skipped')
""")
TURN_TO_COMPARE = text("""
UPDATE run_steps s SET state = 'waiting', due_at = :now, dispatched_at = :now
 WHERE s.run_id = :run_id AND s.stage = 'compare' AND s.state = 'pending'
   AND NOT EXISTS (SELECT 1 FROM run_steps p WHERE p.run_id = :run_id AND p.position < s.position
                      AND p.state NOT IN ('done', 'failed', 'skipped'))
""")
FAIL_RUN = text("""
UPDATE runs SET state = 'failed', finished_at = :now, error_code = :code, error_message = :message
 WHERE id = :run_id AND state = 'running'
""")


# What was loaded and not linked would be built upon: the changes since are told only once.
READ_WHOLE_NEXT = text("""
UPDATE source_inputs i SET token = ''
  FROM runs r JOIN run_steps s ON s.run_id = r.id AND s.stage = 'load' AND s.state = 'done'
 WHERE r.id = :run_id AND i.source_id = r.source_id
""")
AGAIN_SOONER = text("""
UPDATE schedules s SET next_due_at = least(s.next_due_at, :again_at)
  FROM runs r WHERE r.id = :run_id AND s.source_id = r.source_id AND s.sync_type = ANY(r.sync_types)
""")


def fail(
    connection: Connection, ref: StepRef, code: str, message: str, now: datetime, *, again_at: datetime | None = None
) -> bool:
    """Ends the step for good; True when this call did. The run ends with it, unless a candidate failed.

    A failed candidate is a result of the comparison, never harm to the run. What was loaded
    is read whole the next time. With ``again_at`` what the run should have read is due by then, instead of waiting out
    its interval.
    """
    values = {"run_id": ref.run_id, "now": now, "code": code, "message": message}
    connection.execute(LOCK_RUN, {"run_id": ref.run_id})
    if connection.execute(FAIL_STEP, {**key_of(ref), "fence": ref.fence, **values}).first() is None:
        return False
    candidate = ref.lane is Lane.CANDIDATE
    connection.execute(SKIP_LANE, {**values, "lane": ref.lane.value, "whole_run": not candidate})
    if candidate:
        connection.execute(TURN_TO_COMPARE, values)
    else:
        connection.execute(FAIL_RUN, values)
        connection.execute(READ_WHOLE_NEXT, {"run_id": ref.run_id})
        if again_at is not None:
            connection.execute(AGAIN_SOONER, {"run_id": ref.run_id, "again_at": again_at})
    return True
