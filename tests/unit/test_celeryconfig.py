"""The settings hold for each broker and every job timeout; nothing connects."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.app.defaults import NAMESPACES, flatten

import celeryconfig
from pipeline.errors import SettingError

FILE = str(Path(celeryconfig.__file__))
Load = Callable[..., dict[str, Any]]  # a settings file's values are whatever Celery takes


@pytest.fixture(name="load")
def _load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Run the file again with exactly the given variables."""

    def load(**environment: str) -> dict[str, Any]:
        for name in ("REDIS_URL", "CELERY_BROKER_URL", "JOB_TIMEOUT_MS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(FILE)

    return load


def test_without_variables_the_broker_names_what_is_missing(load: Load) -> None:
    settings = load()
    assert "redis-url-is-not-set.invalid" in settings["broker_url"]
    assert settings["result_backend"] == settings["broker_url"]


def test_redis_is_broker_and_backend(load: Load) -> None:
    settings = load(REDIS_URL="redis://cache:6379/1")
    assert settings["broker_url"] == settings["result_backend"] == "redis://cache:6379/1"
    assert settings["broker_transport_options"] == {
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "visibility_timeout": 1440.0,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
    assert settings["task_default_queue_type"] == "classic"
    assert settings["worker_cancel_long_running_tasks_on_connection_loss"] is False


@pytest.mark.parametrize("scheme", ["amqp", "amqps", "pyamqp"])
def test_rabbitmq_is_the_durable_profile_with_results_on_redis(load: Load, scheme: str) -> None:
    settings = load(REDIS_URL="redis://cache:6379/1", CELERY_BROKER_URL=f"{scheme}://mq:5672//")
    assert settings["broker_url"].startswith(scheme)
    assert settings["result_backend"] == "redis://cache:6379/1"
    assert settings["broker_transport_options"] == {"confirm_publish": True}
    assert settings["worker_cancel_long_running_tasks_on_connection_loss"] is True
    for queue in settings["task_queues"].values():
        assert queue["queue_arguments"] == {"x-queue-type": "quorum"}
        assert queue["exchange_type"] == "topic"


@pytest.mark.parametrize("milliseconds", [1_000, 600_000, 86_400_000])
def test_limits_follow_the_job_timeout_and_stay_below_the_visibility_timeout(load: Load, milliseconds: int) -> None:
    settings = load(REDIS_URL="redis://cache", JOB_TIMEOUT_MS=str(milliseconds))
    assert settings["task_soft_time_limit"] == milliseconds / 1000
    assert settings["task_soft_time_limit"] < settings["task_time_limit"]
    visibility = settings["broker_transport_options"]["visibility_timeout"]
    assert visibility > max(settings["task_time_limit"], settings["LONGEST_COUNTDOWN_SECONDS"])


@pytest.mark.parametrize(("visibility", "limit", "countdown"), [(630, 630, 180), (100, 40, 180), (600, 630, 0)])
def test_a_visibility_timeout_shorter_than_a_task_is_refused(visibility: int, limit: int, countdown: int) -> None:
    with pytest.raises(SettingError, match="JOB_TIMEOUT_MS"):
        celeryconfig.require_longer_than_any_task(visibility, limit, countdown)


def test_a_wrong_timeout_names_its_variable(load: Load) -> None:
    with pytest.raises(SettingError, match="JOB_TIMEOUT_MS is 'soon'"):
        load(JOB_TIMEOUT_MS="soon")


def test_every_setting_is_one_that_celery_knows() -> None:
    known = {name for name, _ in flatten(NAMESPACES)}
    known.add("redis_backend_health_check_interval")  # read by the Redis backend, missing from Celery's own list
    assigned = {target.id for node in ast.parse(Path(FILE).read_text()).body for target in names_assigned_by(node)}
    assert {name for name in assigned if not name.startswith("_") and name.islower()} <= known


def names_assigned_by(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target for target in targets if isinstance(target, ast.Name)]


def test_each_queue_has_its_own_key_and_unknown_ones_are_errors() -> None:
    app = Celery("routing")
    app.config_from_object(celeryconfig)
    assert [queue.routing_key for queue in app.amqp.queues.values()] == list(celeryconfig.QUEUE_NAMES)
    assert {queue.exchange.name for queue in app.amqp.queues.values()} == {"mspbyte"}
    assert app.amqp.router.route({}, "tasks.router.route_sync")["queue"].name == "router"
    assert app.amqp.router.route({}, "tasks.schedule.dispatch_due_syncs")["queue"].name == "router"
    assert app.amqp.router.route({}, "tasks.schedule.apply_retention")["queue"].name == "maintenance"
    assert app.amqp.router.route({"queue": "sync.new"}, "tasks.load.load")["queue"].name == "sync.new"
    with pytest.raises(Exception, match=r"sync\.old"):
        app.amqp.router.route({"queue": "sync.old"}, "tasks.load.load")


def test_short_tasks_get_short_limits_and_others_the_jobs() -> None:
    app = Celery("limits")
    app.config_from_object(celeryconfig)

    def work() -> None:
        """Never called."""

    short = app.task(work, name="tasks.router.any_task")
    long = app.task(work, name="tasks.load.any_task")
    app.finalize()
    assert (short.soft_time_limit, short.time_limit) == (30, 40)
    assert long.soft_time_limit == celeryconfig.task_soft_time_limit
    assert long.acks_late is True


def test_every_beat_message_expires_and_beat_keeps_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {entry["task"] for entry in celeryconfig.beat_schedule.values()} == {
        "tasks.schedule.dispatch_due_syncs",
        "tasks.schedule.reap_stalled_runs",
        "tasks.schedule.keep_subscriptions",
        "tasks.schedule.watch_rules",
        "tasks.schedule.apply_retention",
    }
    assert all(entry["options"]["expires"] for entry in celeryconfig.beat_schedule.values())
    app = Celery("beat")
    app.config_from_object(celeryconfig)
    beat = app.Beat()
    scheduler = beat.Service(app, scheduler_cls=beat.scheduler_cls).get_scheduler(lazy=True)
    scheduler.setup_schedule()
    assert set(scheduler.schedule) == set(celeryconfig.beat_schedule)
    assert list(tmp_path.iterdir()) == []
