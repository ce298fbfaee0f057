"""From figures to families: buckets add up, labels are the contract's, queues are Celery's."""

from __future__ import annotations

import celeryconfig
from pipeline.observability.metrics.broker import QUEUES, BrokerReader
from pipeline.observability.metrics.families import of_ledger
from pipeline.observability.metrics.reading import BOUNDS, JUST_ABOVE, Reading
from pipeline.storage.figures import Amount, StepKind


def reading(*steps: tuple[StepKind, Amount]) -> Reading:
    return Reading(
        steps=dict(steps),
        alerts={},
        findings={},
        late={},
        last_run_ms=None,
        running=0,
        outbox_waiting=0,
        outbox_seconds=0.0,
    )


def step(bucket: int, state: str = "done", error: str = "") -> StepKind:
    return StepKind(stage="load", branch="new", analyzer="", state=state, error=error, bucket=bucket)


def samples(found: Reading, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in of_ledger(found)
        for sample in family.samples
        if sample.name == name
    }


def test_the_queues_are_the_ones_celery_has() -> None:
    assert QUEUES == celeryconfig.QUEUE_NAMES


def test_rabbitmq_has_no_depths_yet_and_that_is_no_error() -> None:
    assert BrokerReader("amqp://guest@localhost//").depths() == {}


def test_a_duration_equal_to_a_bound_belongs_to_it() -> None:
    assert all(bound < above for bound, above in zip(BOUNDS, JUST_ABOVE, strict=True))


def test_a_histogram_holds_every_timed_step_and_no_other() -> None:
    found = reading(
        (step(0), Amount(2, 0.06, 10)),
        (step(len(BOUNDS)), Amount(1, 700.0, 5)),
        (step(-1, "failed", "DeadlineExceededError"), Amount(4)),
    )

    buckets = samples(found, "mspbyte_pipeline_duration_seconds_bucket")

    assert [buckets["load", "new", name] for name in ("0.05", "120.0", "600.0", "+Inf")] == [2, 2, 2, 3]
    assert samples(found, "mspbyte_pipeline_duration_seconds_sum") == {("load", "new"): 700.06}
    assert samples(found, "pipeline_errors_total") == {("load", "DeadlineExceededError"): 4}
    assert samples(found, "mspbyte_queries_total") == {(): 15}


def test_every_stage_is_there_before_it_has_run() -> None:
    found = samples(reading(), "mspbyte_pipeline_executions_total")

    assert len(found) == 14
    assert set(found.values()) == {0}
