"""What is said of a run while it is under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pipeline.cli.syncing.following import RunDisplay
from pipeline.domain.runs import Lane, RunState, Stage, StepState
from pipeline.storage.reports.run_details import StepPage
from pipeline.storage.reports.runs import RunSummary

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
RUN = RunSummary(
    id=UUID(int=1),
    tenant="contoso",
    tenant_id=1,
    source_id=1,
    state=RunState.RUNNING,
    stage="load",
    compare=False,
    branch=None,
    trigger="manual",
    sync_types=("identities",),
    queries=0,
    query_seconds=0.0,
    error_code=None,
    error_message=None,
    trace_id="",
    created_at=NOON,
    started_at=NOON,
    finished_at=None,
    seconds=0.0,
)
WAITING = StepPage(
    lane=Lane.MAIN,
    stage=Stage.LOAD,
    queue="sync.new",
    state=StepState.WAITING,
    sentence="",
    attempts=1,
    dispatches=1,
    due_at=NOON,
    started_at=NOON,
    finished_at=None,
    seconds=None,
    queries=None,
    query_seconds=None,
    facts={},
    not_evaluated=(),
    changes_of=(),
    error_code="provider_unavailable",
    error_message="Microsoft cannot be reached.",
)


def test_each_wait_of_a_stage_is_told_once_with_its_reason_and_then_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    later = replace(WAITING, due_at=NOON + timedelta(seconds=5))
    unhurried = replace(WAITING, stage=Stage.ALERT, error_message=None)
    done = replace(WAITING, state=StepState.DONE, seconds=1.5)
    skipped = replace(unhurried, state=StepState.SKIPPED)
    with RunDisplay() as display:
        for steps in ([WAITING, unhurried], [WAITING], [later], [done, skipped], [done]):
            display.update(RUN, steps)

    assert capsys.readouterr().err.splitlines() == [
        "contoso: load waits until 2026-01-31 12:00:00 UTC: Microsoft cannot be reached.",
        "contoso: load waits until 2026-01-31 12:00:05 UTC: Microsoft cannot be reached.",
        "contoso: load done in 1.5 s",
    ]
