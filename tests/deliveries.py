"""Deliveries of change notifications to the web application, and what they leave in the database."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import httpx
from sqlalchemy import text

from pipeline import wiring
from pipeline.domain.runs import Scope
from pipeline.domain.subscriptions import NOTIFICATIONS_PATH, Action, Step
from pipeline.settings import load_settings
from pipeline.storage import subscriptions, tenants
from pipeline.storage.database import Database
from pipeline.web.app import create_app

T = TypeVar("T")
DIRECTORIES = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222")


def subscribed(database: Database, number: int, resource: str) -> dict[str, str]:
    """A notification as Microsoft would send it, of a subscription that stands for tenant ``number``."""
    directory = DIRECTORIES[number]
    now = wiring.now()
    made = f"{resource}-{number}"
    with database.begin() as connection:
        found = {source.external_tenant_id: source.scope for source in tenants.list_sources(connection)}
        scope = found.get(directory) or tenants.add_source(
            connection,
            tenants.add_tenant(connection, f"tenant-{number}"),
            tenants.NewSource(
                provider="microsoft365", external_tenant_id=directory, client_id="client", credentials=b""
            ),
            now,
        )
        action = Action(step=Step.CREATE, scope=scope, resource=resource, subscription_id=None)
        subscriptions.claim(connection, [action], now, until=now)
        new = subscriptions.NewSubscription(
            id=made,
            directory_id=directory,
            url="https://pipeline.example.com",
            client_state_hash=hashlib.sha256(f"secret of {made}".encode()).digest(),
            expires_at=now + timedelta(days=20),
        )
        assert subscriptions.record(connection, action, new, now)
    return {
        "subscriptionId": made,
        "tenantId": directory,
        "clientState": f"secret of {made}",
        "changeType": "updated",
        "resource": f"{resource}/33333333-3333-3333-3333-333333333333",
    }


def asked(environment: Mapping[str, str], ask: Callable[[httpx.AsyncClient], Coroutine[object, object, T]]) -> T:
    """What a client of the web process with this environment finds."""

    async def inside() -> T:
        app = create_app(load_settings(environment))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://web") as client,
        ):
            return await ask(client)

    return asyncio.run(inside())


def post(
    environment: Mapping[str, str], *items: object, path: str = NOTIFICATIONS_PATH, body: bytes | None = None
) -> httpx.Response:
    content = json.dumps({"value": items}).encode() if body is None else body
    return asked(environment, lambda client: client.post(path, content=content))


def pending(database: Database) -> list[tuple[Scope, str, Sequence[str], int]]:
    """Requested syncs: whose, why, of what, and how many seconds after the first request they start."""
    query = text(
        "SELECT d.tenant_id, p.source_id, p.trigger, p.sync_types,"
        " extract(epoch FROM p.due_at - p.first_at)::int AS after"
        " FROM pending_triggers p JOIN data_sources d ON d.id = p.source_id ORDER BY p.source_id"
    )
    with database.begin() as connection:
        return [
            (Scope(tenant_id=row.tenant_id, source_id=row.source_id), row.trigger, row.sync_types, row.after)
            for row in connection.execute(query)
        ]


def standing(database: Database) -> dict[str, tuple[int, str, bool]]:
    """Per subscription: notifications, what is wanted, and whether the last one's time is known."""
    query = text(
        "SELECT subscription_id, notifications, wanted_action, last_notification_at IS NOT NULL AS told"
        " FROM notification_subscriptions"
    )
    with database.begin() as connection:
        return {
            row.subscription_id: (row.notifications, row.wanted_action, row.told) for row in connection.execute(query)
        }
