"""What ``mspbyte doctor`` looks at outside the database."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import nats
import redis
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from pipeline.cli.checks.outcomes import Check, Status, fail, ok, warn
from pipeline.cli.connections.broker import UNREACHABLE, broker_client, broker_variable
from pipeline.settings import Settings
from pipeline.web.checks import ping_redis

NATS_SECONDS = 2
WORKER_SECONDS = 1.5
"""How long workers have to say which queues they serve."""


def check_redis(settings: Settings) -> Check:
    name, fix = "redis", "Start Redis or correct REDIS_URL; `mspbyte up` runs an embedded one."
    if settings.redis_url is None:
        return fail(name, "REDIS_URL is not set.", "Set REDIS_URL, or run `mspbyte up` to use the embedded server.")
    try:
        ping_redis(settings.redis_url)
    except redis.AuthenticationError:
        return fail(name, "Redis refuses the password in REDIS_URL.", "Correct the password in REDIS_URL.")
    except (redis.RedisError, OSError):
        return fail(name, f"Redis does not answer at {_host(settings.redis_url)}.", fix)
    except ValueError:
        return fail(name, "REDIS_URL is not a Redis URL.", "Use redis://:password@host:6379/0.")
    return ok(name, f"Redis answers at {_host(settings.redis_url)}.")


def check_nats(settings: Settings) -> Check:
    name = "nats"
    if settings.nats_url is None:
        return warn(name, "NATS_URL is not set; events wait in the outbox.", "Set NATS_URL, or run `mspbyte up`.")
    try:
        asyncio.run(_ask_jetstream(settings.nats_url))
    except JetStreamError:
        return fail(name, "NATS answers without JetStream.", "Start the server with JetStream (nats-server -js).")
    except (NatsError, OSError, TimeoutError, ValueError):
        sentence = f"NATS does not answer at {_host(settings.nats_url)}."
        return fail(name, sentence, "Start NATS or correct NATS_URL; events wait in the outbox meanwhile.")
    return ok(name, f"NATS answers at {_host(settings.nats_url)}, with JetStream.")


def check_workers(settings: Settings, redis_found: Check) -> Check:
    """Whether a worker serves every queue; asked over the broker."""
    name = "workers"
    if redis_found.status is Status.FAIL and not settings.celery_broker_url:
        return fail(name, "Workers cannot be asked while Redis does not answer.", redis_found.fix)
    try:
        with broker_client(settings) as app:
            needed = {name for name in app.conf.task_queues if name != "outbox"}  # the relay has taken its work over
            answers = app.control.inspect(timeout=WORKER_SECONDS).active_queues() or {}
    except UNREACHABLE:
        variable = broker_variable(settings)
        return fail(name, f"No broker answers at {variable}.", f"Start the broker or correct {variable}.")
    served = {str(queue["name"]) for queues in answers.values() for queue in queues}
    if not answers:
        return fail(name, "No worker answers.", "Start the workers: `honcho start`, or `mspbyte up`.")
    if missing := sorted(needed - served):
        sentence = f"{len(answers)} workers answer, none of them serves {', '.join(missing)}."
        return fail(name, sentence, "Start a worker with -Q for these queues, as the Procfile does.")
    return ok(name, f"{len(answers)} workers answer and serve every queue.")


async def _ask_jetstream(url: str) -> None:
    # The client tries a server that is down again and again, whatever it is told; the timeout ends that.
    async with asyncio.timeout(2 * NATS_SECONDS):
        client = await nats.connect(url, connect_timeout=NATS_SECONDS, allow_reconnect=False, error_cb=_ignore)
        try:
            await client.jetstream(timeout=NATS_SECONDS).account_info()
        finally:
            await client.close()


async def _ignore(_error: Exception) -> None:
    """The client reports what it also raises."""


def _host(url: str) -> str:
    """Host and port, without user and password."""
    parts = urlsplit(url.split(",", maxsplit=1)[0])
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "its URL"
    return f"{parts.hostname}{port}" if parts.hostname else "its URL"
