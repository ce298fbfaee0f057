"""From figures to metric families, under the names that other systems know. Tenants are never a label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from pipeline.domain.flags import FlagSnapshot
from pipeline.domain.runs import Stage
from pipeline.observability.metrics.reading import BOUNDS, Reading
from pipeline.storage.figures import Amount, StepKind

Labels = tuple[str, ...]
Steps = Mapping[StepKind, Amount]


def of_ledger(reading: Reading) -> Iterator[Metric]:
    """Everything one reading of the ledger tells."""
    yield from _executions(reading.steps)
    yield from _durations(reading.steps)
    yield from _alerts(reading)
    yield from _waiting(reading)
    yield from _notifications(reading)
    if reading.last_run_ms is not None:
        yield GaugeMetricFamily(
            "mspbyte_pipeline_duration_ms",
            "Milliseconds from start to end of the run that succeeded last.",
            reading.last_run_ms,
        )


def _executions(steps: Steps) -> Iterator[Metric]:
    # Every stage is there from the first scrape on: a series that begins above zero hides its first increase.
    executions: dict[Labels, float] = dict.fromkeys(
        ((stage.value, state) for stage in Stage for state in ("done", "failed")), 0
    )
    executions |= _counts(steps, lambda kind: (kind.stage, kind.state))
    errors = _counts(steps, lambda kind: (kind.stage, kind.error) if kind.state == "failed" else None)
    yield _counter(
        "mspbyte_pipeline_executions_total", "Steps that ended, by stage and state.", ("stage", "status"), executions
    )
    yield _counter(
        "pipeline_errors_total",
        "Steps that failed for good, by stage and the error's code or type.",
        ("module", "error_type"),
        errors,
    )
    yield CounterMetricFamily(
        "mspbyte_queries_total",
        "Statements sent to PostgreSQL by the steps that are done.",
        sum(amount.queries for amount in steps.values()),
    )


def _durations(steps: Steps) -> Iterator[Metric]:
    yield _histogram(
        "mspbyte_pipeline_duration_seconds",
        "Seconds a done step took, by stage and branch.",
        ("stage", "branch"),
        steps,
        lambda kind: (kind.stage, kind.branch),
    )
    yield _histogram(
        "pipeline_analysis_duration_seconds",
        "Seconds an analysis took: unified, separate or legacy.",
        ("analyzer_type",),
        steps,
        lambda kind: (kind.analyzer,) if kind.analyzer else None,
    )


def _alerts(reading: Reading) -> Iterator[Metric]:
    changes: dict[Labels, float] = {
        (kind.action, kind.alert_type, kind.severity): amount.count for kind, amount in reading.alerts.items()
    }
    yield _counter(
        "mspbyte_alerts_total",
        "Alerts created, resolved, suppressed and reopened.",
        ("action", "alert_type", "severity"),
        changes,
    )
    yield _gauge(
        "pipeline_findings_total",
        "Findings as they stand after the last analysis of every tenant; goes down when problems go.",
        ("alert_type", "severity"),
        reading.findings,
    )


def _waiting(reading: Reading) -> Iterator[Metric]:
    yield GaugeMetricFamily("mspbyte_runs_running", "Runs under way.", reading.running)
    yield GaugeMetricFamily("mspbyte_outbox_backlog", "Events not yet published.", reading.outbox_waiting)
    yield GaugeMetricFamily(
        "mspbyte_outbox_oldest_seconds", "How long the oldest unpublished event has waited.", reading.outbox_seconds
    )
    yield _gauge(
        "mspbyte_schedules_overdue",
        "Schedules whose last sync is older than twice their interval.",
        ("sync_type",),
        {(name,): late.overdue for name, late in reading.late.items()},
    )
    yield _gauge(
        "mspbyte_schedule_late_seconds",
        "How long the schedule that waits longest has been due.",
        ("sync_type",),
        {(name,): late.seconds for name, late in reading.late.items()},
    )


def _notifications(reading: Reading) -> Iterator[Metric]:
    yield _counter(
        "mspbyte_notifications_total",
        "Change notifications taken, by what they are about.",
        ("resource",),
        {labels: amount.count for labels, amount in reading.notifications.items()},
    )
    yield _gauge(
        "mspbyte_subscriptions",
        "Subscriptions to change notifications, and those whose last attempt to make or renew them failed.",
        ("resource", "state"),
        reading.subscriptions,
    )


def of_flags(flags: FlagSnapshot) -> Iterator[Metric]:
    """The flags' global values, and the share of tenants they reach without overrides."""
    yield _gauge(
        "mspbyte_feature_flags",
        "1 where the flag's global value is on.",
        ("flag",),
        {(flag.value,): int(state.enabled) for flag, state in flags.items()},
    )
    yield _gauge(
        "mspbyte_feature_flag_rollout_percent",
        "Percentage of tenants the flag reaches, overrides aside.",
        ("flag",),
        {
            (flag.value,): state.rollout if state.rollout is not None else 100.0 * state.enabled
            for flag, state in flags.items()
        },
    )


def of_queues(depths: Mapping[str, int]) -> Metric:
    return _gauge(
        "pipeline_queue_depth",
        "Messages that wait for a worker.",
        ("queue",),
        {(queue,): depth for queue, depth in depths.items()},
    )


def of_servers(up: Mapping[str, bool]) -> Metric:
    """Whether the servers this exporter reads answered it."""
    return _gauge(
        "mspbyte_server_up",
        "1 where the server answered this scrape.",
        ("server",),
        {(server,): int(answered) for server, answered in up.items()},
    )


def _counts(steps: Steps, labels_of: Callable[[StepKind], Labels | None]) -> dict[Labels, float]:
    found: defaultdict[Labels, float] = defaultdict(int)
    for kind, amount in steps.items():
        labels = labels_of(kind)
        if labels is not None:
            found[labels] += amount.count
    return dict(found)


def _counter(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: Labels, values: Mapping[Labels, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _histogram(
    name: str, text: str, labels: Labels, steps: Steps, labels_of: Callable[[StepKind], Labels | None]
) -> Metric:
    """A histogram of the timed steps; PostgreSQL has put each into its bucket already."""
    counts: dict[Labels, list[int]] = {}
    seconds: defaultdict[Labels, float] = defaultdict(float)
    for kind, amount in steps.items():
        key = labels_of(kind)
        if key is None or kind.bucket < 0:
            continue
        counts.setdefault(key, [0] * (len(BOUNDS) + 1))[kind.bucket] += amount.count
        seconds[key] += amount.seconds
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, found in sorted(counts.items()):
        family.add_metric(key, list(zip(_bound_names(), accumulate(found), strict=True)), seconds[key])
    return family


def _bound_names() -> Iterable[str]:
    return (*(str(bound) for bound in BOUNDS), "+Inf")
