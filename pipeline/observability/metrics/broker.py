"""How many messages wait on the broker, by queue."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pipeline.errors import ServerUnavailableError

QUEUES = (
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
"""Every queue of ``celeryconfig``; a test holds the two together."""
SECONDS = 3.0


def connect_redis(url: str) -> redis.Redis:
    """A client that gives an answer or an error within seconds, and does not try again by itself."""
    return redis.Redis.from_url(
        url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=Retry(NoBackoff(), 0)
    )


class BrokerReader:
    """Asks a Redis broker. RabbitMQ's depths come from its management API: they are to be read here as well."""

    def __init__(self, url: str) -> None:
        self._client = connect_redis(url) if urlsplit(url).scheme in {"redis", "rediss", "unix"} else None

    def depths(self) -> dict[str, int]:
        """Queue → messages that wait; what a worker has taken is not among them. Empty on RabbitMQ.

        Raises ``ServerUnavailableError`` when the broker does not answer.
        """
        if self._client is None:
            return {}
        asked = self._client.pipeline(transaction=False)
        for queue in QUEUES:
            asked.llen(queue)
        try:
            return dict(zip(QUEUES, asked.execute(), strict=True))
        except RedisError as error:
            raise ServerUnavailableError(
                f"Redis does not answer at REDIS_URL ({type(error).__name__}). Start the server or correct REDIS_URL."
            ) from error

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
