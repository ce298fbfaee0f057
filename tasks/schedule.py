"""What beat asks for: due syncs, lost steps, subscriptions, stopped rules, and the end of what is kept for a time."""

from __future__ import annotations

from datetime import timedelta

from pipeline.stages.dispatch import open_due_runs, redispatch_overdue
from pipeline.stages.retention import apply_limits
from pipeline.stages.rule_watch import watch_rules as look_for_stopped_rules
from pipeline.storage.ledger import Patience
from pipeline.wiring import now
from tasks.app import app
from tasks.canvas import publish
from tasks.process import keeper, settings, wiring


@app.task(name="tasks.schedule.dispatch_due_syncs")
def dispatch_due_syncs() -> int:
    opened = open_due_runs(wiring().database, now(), max_jobs=settings().max_concurrent_jobs)
    for dispatch in opened:
        publish(dispatch)
    return len(opened)


@app.task(name="tasks.schedule.reap_stalled_runs")
def reap_stalled_runs() -> int:
    patience = Patience(
        lost_after=timedelta(milliseconds=settings().step_lost_after_ms),
        candidate=timedelta(milliseconds=settings().job_timeout_ms),
    )
    again = redispatch_overdue(wiring().database, now(), patience)
    for dispatch in again:
        publish(dispatch)
    return len(again)


@app.task(name="tasks.schedule.keep_subscriptions")
def keep_subscriptions() -> int:
    return keeper().keep(now()).done


@app.task(name="tasks.schedule.watch_rules")
def watch_rules() -> int:
    return look_for_stopped_rules(wiring().database, now())


@app.task(name="tasks.schedule.apply_retention")
def apply_retention() -> None:
    apply_limits(wiring().database, settings(), now())
