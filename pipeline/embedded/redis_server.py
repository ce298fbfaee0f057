"""Redis on a loopback port behind a password that is new at every start.

A unix socket would need no password, but Celery's broker and redis-py spell its URL differently.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import redis

from pipeline.embedded import binaries
from pipeline.embedded.ports import free_port
from pipeline.embedded.process import Launch

# noeviction: a broker that forgets messages under memory pressure is worse than one that refuses new ones.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
appendonly yes
appendfsync {fsync}
save ""
maxmemory-policy noeviction
"""


def prepare(folder: Path, log: Path, *, durable: bool) -> Launch:
    """Write the configuration for a free port into ``folder`` (mode 0700) and say how to launch it."""
    port, password = free_port(), secrets.token_urlsafe(24)
    fsync = "everysec" if durable else "no"
    configuration = folder / "redis.conf"
    configuration.write_text(CONFIGURATION.format(port=port, password=password, folder=folder, fsync=fsync))
    configuration.chmod(0o600)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return Launch(
        name="redis",
        title="Redis",
        command=(str(binaries.redis_server()), str(configuration)),
        folder=folder,
        log=log,
        url=url,
        is_ready=lambda: _is_ready(url),
    )


def _is_ready(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):  # BusyLoadingError, while it reads its file, is one of them
        return False
