"""Celery's settings, each unusual one with its reason; read by ``app.config_from_object("celeryconfig")``.

The figures behind the reasons were measured on Celery and kombu 5.7. The broker is a doorbell: no setting here makes
Redis lossless, so the run ledger in PostgreSQL dispatches again what a lost message should have started.

Without ``REDIS_URL`` this module still imports (tests, documentation, ``--help``); starting a worker then fails on a
host whose name says what is missing, instead of on Celery's default, a RabbitMQ nobody asked for.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from celery.schedules import crontab

from pipeline.errors import SettingError
from pipeline.settings import load_settings


class _NamedTask(Protocol):
    name: str


class ShortLimits:
    """An entry of ``task_annotations``: tasks that only read and publish may not take as long as a whole step."""

    prefixes = ("tasks.router.", "tasks.outbox.", "tasks.schedule.dispatch_", "tasks.schedule.reap_")

    def annotate(self, task: _NamedTask) -> dict[str, float] | None:
        """Limits in seconds for ``task``, or None to leave it alone; called by Celery as each task is bound."""
        return {"soft_time_limit": 30, "time_limit": 40} if task.name.startswith(self.prefixes) else None

    def annotate_any(self) -> None:
        """Nothing for all tasks alike; part of Celery's protocol."""


def require_longer_than_any_task(visibility: float, hard_limit: float, countdown: float) -> None:
    """Refuse a visibility timeout in which a message is handed out again while its task still runs or waits.

    Measured: with a shorter one a long task runs three to four times.
    """
    if visibility <= max(hard_limit, countdown):
        raise SettingError(
            f"visibility_timeout is {visibility:.0f} s and must be longer than the time limit ({hard_limit:.0f} s, "
            f"from JOB_TIMEOUT_MS) and the longest countdown ({countdown:.0f} s)."
        )


_settings = load_settings()
_UNSET = "redis://redis-url-is-not-set.invalid:6379/0"

# --- Servers -------------------------------------------------------------------------------------------------------

broker_url = _settings.celery_broker_url or _settings.redis_url or _UNSET
# Results stay on Redis whichever broker is used: chords need its atomic counters.
result_backend = _settings.redis_url or _UNSET
_on_rabbitmq = urlsplit(broker_url).scheme.startswith(("amqp", "pyamqp"))

# Otherwise Celery 5.7 warns, and a worker started a moment before its broker gives up.
broker_connection_retry_on_startup = True
# None: for ever. The default of 100 tries ends workers during a long outage.
broker_connection_max_retries = None
# True makes 5.7 workers leave with an AttributeError when Redis goes away; processes are supervised anyway.
broker_channel_error_retry = False

# --- What travels --------------------------------------------------------------------------------------------------

# Messages hold ids only, so JSON says everything; msgpack measured no gain and pickle would run what it is sent.
task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]
timezone = "UTC"

# --- Queues --------------------------------------------------------------------------------------------------------

QUEUE_NAMES = (
    "router",
    "sync.legacy",
    "sync.new",
    "analyze.legacy",
    "analyze.new",
    "alerts",
    "compare",
    "outbox",
    "maintenance",
)
task_default_exchange = "mspbyte"
# Countdowns on quorum queues go through RabbitMQ's delay exchange, which cannot feed a direct one. On a broker's very
# first start each worker logs that other pools' queues cannot be bound yet; every pool binds its own.
task_default_exchange_type = "topic" if _on_rabbitmq else "direct"
# Classic queues live on one node; quorum queues survive losing it.
task_default_queue_type = "quorum" if _on_rabbitmq else "classic"
# The routing key is spelled out: left away, all queues would share the default one and every message go to each.
task_queues = {
    name: {
        "exchange": task_default_exchange,
        "exchange_type": task_default_exchange_type,
        "routing_key": name,
        "queue_arguments": {"x-queue-type": "quorum"} if _on_rabbitmq else None,
    }
    for name in QUEUE_NAMES
}
# A mistyped queue is an error, not a new queue that nobody consumes.
task_create_missing_queues = False
task_default_queue = "maintenance"
task_default_routing_key = "maintenance"
# Load, link and analyze run on the branch's queue, which the canvas names when it is built; these are always the same.
task_routes = {
    "tasks.router.*": {"queue": "router"},
    "tasks.alerts.*": {"queue": "alerts"},
    "tasks.compare.*": {"queue": "compare"},
    "tasks.outbox.*": {"queue": "outbox"},
    "tasks.schedule.dispatch_due_syncs": {"queue": "router"},  # must not wait behind a retention run
    "tasks.schedule.*": {"queue": "maintenance"},
}

# --- Delivery at least once ----------------------------------------------------------------------------------------

# Acknowledged when done: a killed worker's task is delivered again, and the ledger makes a second run a no-op.
task_acks_late = True
# Nothing waits in a busy worker while another is idle.
worker_prefetch_multiplier = 1
# A retry counts against max_retries (3); rejecting alone hands a task that kills its process out for ever.
task_retry_on_worker_lost = True
task_reject_on_worker_lost = True
worker_deduplicate_successful_tasks = True

# --- Time ----------------------------------------------------------------------------------------------------------

task_soft_time_limit = _settings.job_timeout_ms / 1000
# The time between the two is for ending a transaction and writing the reason down.
task_time_limit = task_soft_time_limit + 30
task_annotations = (ShortLimits(),)
# What Celery itself waits before it retries a task whose worker was lost. Longer delays belong in a table.
LONGEST_COUNTDOWN_SECONDS = 180
_visibility_timeout = 2 * task_time_limit + LONGEST_COUNTDOWN_SECONDS
require_longer_than_any_task(_visibility_timeout, task_time_limit, LONGEST_COUNTDOWN_SECONDS)

_redis_socket = {
    "socket_timeout": 30,  # without one, a worker hangs for ever on a server that vanished without a word
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
broker_transport_options: dict[str, object] = (
    # Without confirms a publish counts as done once it is in our own socket's buffer.
    {"confirm_publish": True}
    if _on_rabbitmq
    else {
        **_redis_socket,
        "visibility_timeout": _visibility_timeout,
        # Every 10 s look for messages of dead workers. The throttle's default of 10 makes that 100 s.
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
)

# --- Losing the connection, stopping --------------------------------------------------------------------------------

# RabbitMQ hands unacknowledged work to others at once, so ours must stop; on Redis it stays ours until the timeout.
worker_cancel_long_running_tasks_on_connection_loss = _on_rabbitmq
# With REMAP_SIGTERM=SIGQUIT in the process's environment: 20 of the 30 s that platforms grant to finish tasks,
# the rest to hand back what is unfinished.
worker_soft_shutdown_timeout = 20.0
# A child is replaced once its memory has grown past this, in KiB. Replacing by task count made new processes all day.
worker_max_memory_per_child = 500_000

# --- Publishing ----------------------------------------------------------------------------------------------------

# About 25 s in all. The dispatcher publishes with retry=False instead: what it could not send stays due.
task_publish_retry_policy = {"max_retries": 10, "interval_start": 0.1, "interval_step": 0.3, "interval_max": 3}

# --- Results -------------------------------------------------------------------------------------------------------

# Nobody reads them, and with Redis down a publish that expects one blocks 19 s. Members of chains and chords opt in.
task_ignore_result = True
result_expires = 86_400
# Longer than the slowest header: when a chord's counter expires first, its body never runs.
result_chord_expires = 7 * 86_400
# The default gives up at the first lost connection, and with it on the chord; without a bound it would never.
result_backend_always_retry = True
result_backend_max_retries = 20
redis_socket_timeout = 30.0
redis_socket_connect_timeout = 5.0
redis_socket_keepalive = True
redis_backend_health_check_interval = 10
redis_retry_on_timeout = True

# --- Watching ------------------------------------------------------------------------------------------------------

# Events cost 45 % of the throughput of empty tasks: turned on per worker with -E where Flower should see it.
worker_send_task_events = False
# structlog formats the log; Celery must not put its own handler on the root logger.
worker_hijack_root_logger = False

# --- Beat ----------------------------------------------------------------------------------------------------------

# What is due stands in PostgreSQL, so beat has nothing to remember: no schedule file to lose, corrupt after a kill or
# leave in the working folder, and two beats may run at once.
beat_scheduler = "celery.beat:Scheduler"
# A tick that could not run is worthless once the next one is there; 10 s leave room for clocks that differ.
_tick = {"expires": 10, "retry": False, "ignore_result": True}
beat_schedule = {
    "dispatch due syncs": {"task": "tasks.schedule.dispatch_due_syncs", "schedule": 1.0, "options": _tick},
    "reap stalled runs": {"task": "tasks.schedule.reap_stalled_runs", "schedule": 1.0, "options": _tick},
    "keep subscriptions": {
        "task": "tasks.schedule.keep_subscriptions",
        "schedule": 60.0,
        "options": {"expires": 55, "retry": False, "ignore_result": True},
    },
    "watch rules": {
        "task": "tasks.schedule.watch_rules",
        "schedule": 60.0,
        "options": {"expires": 55, "retry": False, "ignore_result": True},
    },
    "apply retention": {
        "task": "tasks.schedule.apply_retention",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 6 * 3600, "retry": False, "ignore_result": True},
    },
}
