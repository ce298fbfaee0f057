"""The exporter's metrics say what the database says, scrape after scrape, whatever is deleted in between."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
import redis
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.domain.runs import Scope
from pipeline.observability.metrics.broker import QUEUES
from pipeline.observability.metrics.collector import Metrics
from pipeline.observability.metrics.exporter import exporter
from pipeline.observability.metrics.reading import LedgerReader
from pipeline.observability.queries import counting
from pipeline.settings import load_settings
from pipeline.stages.local import sync_here
from pipeline.storage.database import Database
from tests.tenants import COMPARED, LEGACY, NEW, add_simulated_tenant, environment_for

pytestmark = pytest.mark.servers

Samples = Mapping[tuple[str, tuple[str, ...]], float]
"""(sample, label values in the order of the labels' names) → value."""


@pytest.fixture
def parts(simulator: RunningSimulator, database_url: str, redis_url: str) -> Iterator[wiring.Wiring]:
    environment = environment_for(
        simulator, database_url=database_url, redis_url=redis_url, METRICS_PORT="0", FEATURE_NEW_PIPELINE_ROLLOUT="25"
    )
    built = wiring.build(load_settings(environment))
    yield built
    built.close()


@pytest.fixture
def metrics(parts: wiring.Wiring) -> Iterator[Metrics]:
    with Metrics(parts.settings) as found:
        yield found


@pytest.fixture
def scope(parts: wiring.Wiring, simulator: RunningSimulator) -> Scope:
    return add_simulated_tenant(parts, simulator, 4, NEW)


def scrape(metrics: Metrics) -> Samples:
    return samples_of(generate_latest(metrics.registry).decode())


def samples_of(exposition: str) -> Samples:
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def rows(database: Database, query: str) -> dict[tuple[str, ...], float]:
    """Label values → count, from a query of labels and one count."""
    with database.begin() as connection:
        return {tuple(row[:-1]): float(row[-1]) for row in connection.execute(text(query))}


def of(samples: Samples, name: str) -> dict[tuple[str, ...], float]:
    return {labels: value for (found, labels), value in samples.items() if found == name and value}


def sync(parts: wiring.Wiring, scope: Scope) -> None:
    sync_here(parts.database, parts.executor, scope)


def test_a_run_counts_for_what_the_database_holds_of_it(parts: wiring.Wiring, metrics: Metrics, scope: Scope) -> None:
    sync(parts, scope)

    found = scrape(metrics)

    steps = rows(parts.database, "SELECT stage, state, count(*) FROM run_steps GROUP BY 1, 2")
    assert of(found, "mspbyte_pipeline_executions_total") == steps
    queries = rows(parts.database, "SELECT sum(queries) FROM run_steps")
    assert of(found, "mspbyte_queries_total") == queries
    history = "SELECT 'created', alert_type, severity, count(*) FROM alerts GROUP BY 2, 3"
    assert of(found, "mspbyte_alerts_total") == rows(parts.database, history)
    findings = "SELECT alert_type, severity, count(*) FROM findings GROUP BY 1, 2"
    assert of(found, "pipeline_findings_total") == rows(parts.database, findings)
    timed = "SELECT 'new', stage, sum(seconds) FROM run_steps GROUP BY 2"
    assert of(found, "mspbyte_pipeline_duration_seconds_sum") == pytest.approx(rows(parts.database, timed))
    assert found["pipeline_analysis_duration_seconds_bucket", ("unified", "+Inf")] == 1
    last = rows(parts.database, "SELECT extract(epoch FROM finished_at - started_at) * 1000 FROM runs")
    assert of(found, "mspbyte_pipeline_duration_ms") == pytest.approx(last)
    waiting = rows(parts.database, "SELECT count(*) FROM outbox WHERE published_at IS NULL")
    assert of(found, "mspbyte_outbox_backlog") == waiting


def test_each_branch_has_its_own_durations_also_inside_a_comparison(
    parts: wiring.Wiring, metrics: Metrics, simulator: RunningSimulator
) -> None:
    for index, branch in ((3, LEGACY), (4, COMPARED)):
        sync(parts, add_simulated_tenant(parts, simulator, index, branch))

    found = scrape(metrics)

    analyses = {
        branch: found["mspbyte_pipeline_duration_seconds_count", (branch, "analyze")] for branch in ("legacy", "new")
    }
    assert analyses == {"legacy": 2, "new": 1}
    assert found["mspbyte_pipeline_duration_seconds_count", ("comparison", "compare")] == 1
    assert found["pipeline_analysis_duration_seconds_count", ("legacy",)] == 2


def test_counters_go_on_from_scrape_to_scrape_and_survive_the_deletion_of_what_they_counted(
    parts: wiring.Wiring, metrics: Metrics, scope: Scope
) -> None:
    sync(parts, scope)
    first = scrape(metrics)
    sync(parts, scope)
    second = scrape(metrics)

    with parts.database.begin() as connection:
        connection.execute(text("DELETE FROM runs"))
    third = scrape(metrics)

    key = ("mspbyte_pipeline_executions_total", ("load", "done"))
    assert (first[key], second[key], third[key]) == (1, 2, 2)
    name = "mspbyte_alerts_total"
    assert of(first, name) == of(second, name) == of(third, name)


def test_rows_are_counted_once_while_they_settle(parts: wiring.Wiring, scope: Scope) -> None:
    """Every reading of another moment counts the same run, first as an open one, then as settled, then not at all."""
    sync(parts, scope)
    moments = [wiring.now() + timedelta(minutes=minutes) for minutes in (0, 1, 30, 60, 90)]
    times = iter(moments)
    reader = LedgerReader(parts.database, parts.settings, lambda: next(times))

    readings = [reader.read() for _ in moments]

    assert all(reading.steps == readings[0].steps for reading in readings)
    assert all(reading.alerts == readings[0].alerts for reading in readings)
    assert sum(amount.count for amount in readings[0].alerts.values()) > 0


def test_what_comes_later_is_added_to_the_runs_that_have_settled(parts: wiring.Wiring, scope: Scope) -> None:
    sync(parts, scope)
    with parts.database.begin() as connection:
        connection.execute(text("UPDATE runs SET created_at = created_at - interval '2 hours'"))
    reader = LedgerReader(parts.database, parts.settings, wiring.now)
    totals = []

    for _ in range(3):
        totals.append(sum(amount.count for amount in reader.read().steps.values()))
        sync(parts, scope)

    assert totals == [totals[0], 2 * totals[0], 3 * totals[0]]


def test_what_comes_later_is_added_to_the_history_that_has_settled(parts: wiring.Wiring, scope: Scope) -> None:
    sync(parts, scope)
    times = iter([wiring.now() + timedelta(minutes=minutes) for minutes in (0, 26, 52, 53)])
    reader = LedgerReader(parts.database, parts.settings, lambda: next(times))
    before = [reader.read().alerts for _ in range(3)]

    change_one_alert(parts.database, None, "active")
    later = reader.read().alerts

    assert sum(amount.count for amount in later.values()) == 1 + sum(amount.count for amount in before[-1].values())


def change_one_alert(database: Database, was: str | None, now: str) -> None:
    """A change of the alert that changed last, as its history tells it."""
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO alert_history (tenant_id, alert_id, at, from_status, to_status, to_severity, actor,"
                " reason, trace_id) SELECT tenant_id, id, now(), CAST(:was AS text), :now, severity, 'test', '', ''"
                " FROM alerts WHERE id = (SELECT alert_id FROM alert_history ORDER BY id DESC LIMIT 1)"
            ),
            {"was": was, "now": now},
        )


def test_a_new_process_on_an_old_ledger_begins_at_zero_and_counts_what_comes(
    parts: wiring.Wiring, metrics: Metrics, scope: Scope
) -> None:
    sync(parts, scope)
    with parts.database.begin() as connection:
        connection.execute(text("UPDATE runs SET created_at = created_at - interval '30 days'"))

    first = scrape(metrics)
    sync(parts, scope)
    second = scrape(metrics)

    key = ("mspbyte_pipeline_executions_total", ("load", "done"))
    assert (first[key], second[key]) == (0, 1)
    assert of(first, "mspbyte_alerts_total") == {}


def test_resolved_suppressed_and_reopened_alerts_are_counted_and_other_changes_are_not(
    parts: wiring.Wiring, metrics: Metrics, scope: Scope
) -> None:
    sync(parts, scope)
    before = scrape(metrics)
    changes = [("active", "resolved"), ("resolved", "active"), ("active", "suppressed"), ("active", "acknowledged")]
    for was, now in changes:
        change_one_alert(parts.database, was, now)

    after = scrape(metrics)

    grown = {
        labels[0]: value - before.get(("mspbyte_alerts_total", labels), 0)
        for labels, value in of(after, "mspbyte_alerts_total").items()
        if value != before.get(("mspbyte_alerts_total", labels))
    }
    assert grown == {"resolved": 1, "reopened": 1, "suppressed": 1}


def test_a_failed_step_is_an_error_of_its_stage(parts: wiring.Wiring, metrics: Metrics, scope: Scope) -> None:
    with parts.database.begin() as connection:
        connection.execute(text("UPDATE data_sources SET credentials = 'not sealed by us'"))

    sync(parts, scope)

    found = scrape(metrics)
    failed = "SELECT error_code, stage, count(*) FROM run_steps WHERE state = 'failed' GROUP BY 1, 2"
    assert of(found, "pipeline_errors_total") == rows(parts.database, failed) != {}


def test_the_cost_of_a_scrape_in_statements_does_not_grow(
    parts: wiring.Wiring, metrics: Metrics, simulator: RunningSimulator
) -> None:
    scrape(metrics)
    counts = []
    for index in (3, 4):
        sync(parts, add_simulated_tenant(parts, simulator, index, NEW))
        with counting() as tally:
            scrape(metrics)
        counts.append(tally.count)

    assert counts[0] == counts[1] <= 10


def test_queues_flags_and_schedules_are_shown_as_they_are(
    parts: wiring.Wiring, metrics: Metrics, scope: Scope, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as broker:
        broker.rpush("sync.new", "a", "b")
    with parts.database.begin() as connection:
        connection.execute(text("UPDATE schedules SET next_due_at = now() - interval '2 hours'"))

    found = scrape(metrics)

    assert {labels[0] for name, labels in found if name == "pipeline_queue_depth"} == set(QUEUES)
    assert of(found, "pipeline_queue_depth") == {("sync.new",): 2}
    assert found["mspbyte_feature_flag_rollout_percent", ("new_pipeline",)] == 25
    assert found["mspbyte_feature_flag_rollout_percent", ("unified_analyzer",)] == 100
    assert (found["mspbyte_feature_flags", ("new_pipeline",)], found["mspbyte_feature_flags", ("batch_loading",)]) == (
        0,
        1,
    )
    assert of(found, "mspbyte_schedules_overdue") == {("identities",): 1}
    assert found["mspbyte_schedule_late_seconds", ("roles",)] == pytest.approx(7200, abs=60)


def test_no_metric_has_a_tenant_among_its_labels(parts: wiring.Wiring, metrics: Metrics, scope: Scope) -> None:
    sync(parts, scope)

    families = list(text_string_to_metric_families(generate_latest(metrics.registry).decode()))

    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert not [label for label in labels if "tenant" in label]
    values = {value for family in families for sample in family.samples for value in sample.labels.values()}
    assert "tenant-4" not in values


def test_the_exporter_serves_the_registry_over_http(parts: wiring.Wiring, scope: Scope) -> None:
    sync(parts, scope)

    with (
        exporter(parts.settings, "127.0.0.1") as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer,
    ):
        found = samples_of(answer.read().decode())

    assert found["mspbyte_pipeline_executions_total", ("load", "done")] == 1
    assert of(found, "mspbyte_server_up") == {("broker",): 1, ("postgresql",): 1}
