"""This application's subscriptions in one tenant: https://learn.microsoft.com/graph/api/resources/subscription."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from pipeline.errors import ProviderRejectedError
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.spool import Spool

LIFETIME = timedelta(minutes=41_760)
"""The longest for users and groups *(may change)*:
https://learn.microsoft.com/graph/change-notifications-overview#subscription-lifetime

Quotas there are 100 subscriptions for an application in a tenant and 50,000 for an application in all of them
*(may change)*; two a tenant reach them at 25,000 tenants:
https://learn.microsoft.com/graph/change-notifications-overview#supported-resources"""
CHANGES = "updated,deleted"
"""What users and groups can tell; a creation arrives as an update."""

Connect = Callable[[], AbstractAsyncContextManager[GraphClient]]
"""A signed-in client of the tenant, which repeats nothing by itself: a subscription made twice counts twice."""

T = TypeVar("T")


class Made(msgspec.Struct, rename="camel"):
    """A subscription as Microsoft answers."""

    id: str
    expiration_date_time: datetime


class Listed(msgspec.Struct, rename="camel"):
    """A subscription as Microsoft lists it, never with its ``clientState``."""

    id: str
    resource: str
    notification_url: str | None = None


class _Page(msgspec.Struct):
    value: list[Listed]


class _Organization(msgspec.Struct):
    id: str


class _Organizations(msgspec.Struct):
    value: list[_Organization]


class Microsoft365Subscriptions:
    """A session with one tenant, from ``with`` to its end; it connects when something is first asked.

    Every method raises ``TenantUnreachableError``, ``ProviderRejectedError`` or ``TransientError``.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._client: GraphClient | None = None
        self._stack = AsyncExitStack()
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()

    def create(self, resource: str, *, url: str, lifecycle_url: str, client_state: str, expires_at: datetime) -> Made:
        """A new subscription. Microsoft calls both URLs before it answers; neither can be added later."""
        asked = {
            "changeType": CHANGES,
            "notificationUrl": url,
            "lifecycleNotificationUrl": lifecycle_url,
            "resource": resource,
            "expirationDateTime": expires_at,
            "clientState": client_state,
        }
        return _decoded(self._run("POST", "/subscriptions", asked), Made)

    def renew(self, subscription_id: str, expires_at: datetime) -> datetime | None:
        """The new end, and the subscription is authorized again; ``None`` when Microsoft has no such subscription."""
        try:
            answer = self._run("PATCH", f"/subscriptions/{subscription_id}", {"expirationDateTime": expires_at})
        except ProviderRejectedError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return _decoded(answer, Made).expiration_date_time

    def delete(self, subscription_id: str) -> None:
        """Ends a subscription; one that is gone already is no error."""
        try:
            self._run("DELETE", f"/subscriptions/{subscription_id}")
        except ProviderRejectedError as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise

    def of_url(self, resource: str, url: str) -> list[str]:
        """The ids of what delivers changes of the resource to the URL.

        Another installation of the same application has another URL, and keeps its own.
        """
        return [
            one.id
            for one in self._runner.run(self._listed())
            if one.resource.strip("/") == resource and one.notification_url == url
        ]

    def directory_id(self) -> str:
        """The tenant's id as notifications carry it: a source may have been added by one of its domains."""
        found = _decoded(self._run("GET", "/organization?$select=id"), _Organizations).value
        if not found:
            raise ProviderRejectedError(
                "Microsoft names no organization of the tenant", code="noOrganization", status=200
            )
        return found[0].id

    def _run(self, method: str, path: str, body: object = None) -> bytes:
        return self._runner.run(self._request(method, path, None if body is None else msgspec.json.encode(body)))

    async def _request(self, method: str, path: str, body: bytes | None) -> bytes:
        return await (await self._connected()).request(method, path, body)

    async def _listed(self) -> list[Listed]:
        client = await self._connected()
        with Spool() as spool:
            await client.read_list("/subscriptions", spool)
            return [one for body in spool for one in _decoded(body, _Page).value]

    async def _connected(self) -> GraphClient:
        if self._client is None:
            self._client = await self._stack.enter_async_context(self._connect())
        return self._client


def _decoded(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderRejectedError(
            "Microsoft's answer about a subscription is not of the documented shape",
            code="malformedPayload",
            status=200,
        ) from error
