"""A process that asks Microsoft Graph for as much of one tenant as the limiter lets through, for a while.

Its orders are a line of JSON on standard input. It tells when it is ready, is told until when to ask, in seconds since
1970, and tells what its limiter did.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import httpx
import msgspec
import structlog

from pipeline.providers.microsoft365.auth import Credentials, TenantTokens, TokenStore
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.throttling.fallback import open_store
from pipeline.providers.microsoft365.throttling.limiter import Limiter, Tally

REQUEST_SECONDS = 30.0
READY = b"ready\n"


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """``paths`` are each asked for by a reader of its own, again and again."""

    redis_url: str
    base_url: str
    ca_path: str
    tenant_id: str
    client_id: str
    client_secret: str
    users: int
    paths: Sequence[str]


async def hammer(orders: Orders, ready: Callable[[], float]) -> Tally:
    """What the limiter did until the moment that ``ready`` gives."""
    context = ssl.create_default_context(cafile=orders.ca_path)
    with httpx.Client(verify=context) as sign_in:
        async with httpx.AsyncClient(verify=context, timeout=REQUEST_SECONDS) as http:
            client = _client(orders, http, sign_in)
            await client.sign_in()
            await client.tenant_size(orders.users)
            seconds = ready() - time.time()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asyncio.gather(*(_ask_again_and_again(client, path) for path in orders.paths))
    return client.tally


def _client(orders: Orders, http: httpx.AsyncClient, sign_in: httpx.Client) -> GraphClient:
    tokens = TenantTokens(
        Credentials(tenant_id=orders.tenant_id, client_id=orders.client_id, credential=orders.client_secret),
        authority=orders.base_url,
        scope=f"{orders.base_url}/.default",
        store=TokenStore(),
        http=sign_in,
    )
    limiter = Limiter(open_store(orders.redis_url), app=orders.client_id, tenant=orders.tenant_id, low=True)
    return GraphClient(http, tokens, base_url=orders.base_url, limiter=limiter, scheduled=True)


async def _ask_again_and_again(client: GraphClient, path: str) -> None:
    while True:
        await client.read_object(path)


def _ready() -> float:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    return float(sys.stdin.buffer.readline())


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    tally = asyncio.run(hammer(msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders), _ready))
    sys.stdout.buffer.write(msgspec.json.encode(tally))
