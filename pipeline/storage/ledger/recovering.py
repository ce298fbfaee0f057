"""Steps nobody is doing though it is their turn: found, and asked for again under a higher fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from pipeline.domain.runs import Lane, Stage, StepRef
from pipeline.storage.ledger.steps import Dispatch, key_of

OVERDUE = text("""
SELECT s.run_id, s.lane, s.stage, s.fence,
       coalesce(s.deadline_at, CASE WHEN s.lane = 'candidate' THEN r.started_at + :candidate_patience END)
       AS deadline_at
  FROM run_steps s JOIN runs r ON r.id = s.run_id
 WHERE r.state = 'running'
   AND (   (s.state = 'waiting' AND s.due_at <= :now)
        OR (s.state = 'dispatched' AND s.dispatched_at < :now - :lost_after * power(2, least(s.dispatches, 4)))
        OR (s.state = 'running' AND s.heartbeat_at < :now - :lost_after))
 ORDER BY s.dispatched_at
 LIMIT :most
   FOR UPDATE OF s SKIP LOCKED
""")
REDISPATCH = text("""
UPDATE run_steps
   SET fence = fence + 1, dispatches = dispatches + 1, losses = losses + CAST(state = 'running' AS int),
       dispatched_at = :now,
       state = CASE WHEN stage = :stage THEN 'dispatched' ELSE state END,
       due_at = CASE WHEN stage = :stage THEN NULL ELSE due_at END
 WHERE run_id = :run_id AND lane = :lane AND state NOT IN ('done', 'failed', 'skipped')
RETURNING stage, queue, fence, position
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class Overdue:
    """A step nobody is doing though it is its turn."""

    ref: StepRef
    deadline_at: datetime | None
    """When it has to have ended; ``None`` for a step not begun yet, unless it is a candidate's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait: ``lost_after`` for a sign of life, ``candidate`` for a candidate's lane as a whole.

    A run of the tenant's own branch waits for a worker as long as it takes; a candidate must not hold it up.
    """

    lost_after: timedelta
    candidate: timedelta


def overdue(connection: Connection, now: datetime, patience: Patience, most: int = 200) -> list[Overdue]:
    """Steps to ask for again: due, asked for in vain, or without a heartbeat. Locked until the transaction ends.

    Two reconcilers at once share the work. A message that merely queues is asked for again ever more rarely; the
    raised fence makes the older message a no-op.
    """
    values = {
        "now": now,
        "lost_after": patience.lost_after,
        "candidate_patience": patience.candidate,
        "most": most,
    }
    rows = connection.execute(OVERDUE, values).mappings()
    return [
        Overdue(
            ref=StepRef(run_id=row["run_id"], lane=Lane(row["lane"]), stage=Stage(row["stage"]), fence=row["fence"]),
            deadline_at=row["deadline_at"],
        )
        for row in rows
    ]


def redispatch(connection: Connection, ref: StepRef, now: datetime) -> Dispatch | None:
    """The rest of the step's lane under a new fence; publish it after the commit.

    ``None`` when the lane has ended since the step was found overdue, as when the other lane has just failed the run.
    """
    rows = connection.execute(REDISPATCH, {**key_of(ref), "now": now}).mappings().all()
    ordered = sorted(rows, key=lambda row: int(row["position"]))
    own = next((row for row in ordered if row["stage"] == ref.stage.value), None)
    if own is None:
        return None
    # Steps of a lane may have been fenced separately; a chain is only as long as the fence they share.
    shared = [row for row in ordered if row["fence"] == own["fence"] and row["position"] >= own["position"]]
    return Dispatch(
        run_id=ref.run_id,
        lane=ref.lane,
        fence=own["fence"],
        steps=tuple((Stage(row["stage"]), row["queue"]) for row in shared),
    )
