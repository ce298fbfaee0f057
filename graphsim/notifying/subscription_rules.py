"""What may be subscribed to, for how long and by how many.

https://learn.microsoft.com/graph/api/resources/subscription for lifetimes,
https://learn.microsoft.com/graph/api/resources/change-notifications-api-overview for resources and quotas.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from graphsim.notifying.endpoints import is_loopback
from graphsim.notifying.notifications import TYPES
from graphsim.protocol.errors import GraphError
from graphsim.world import membership
from graphsim.world.changes import Resource
from graphsim.world.state import TenantState

LONGEST_MINUTES = 41_760
PER_APP_AND_TENANT = 100
PER_APP = 50_000
_CHANGE_TYPES = frozenset({"updated", "deleted"})
_LONGEST_CLIENT_STATE = 128
_Body = TypeVar("_Body")


class Creation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a POST; what has no default is required."""

    change_type: str = msgspec.field(name="changeType")
    notification_url: str = msgspec.field(name="notificationUrl")
    resource: str
    expires: datetime = msgspec.field(name="expirationDateTime")
    lifecycle_url: str | None = msgspec.field(name="lifecycleNotificationUrl", default=None)
    client_state: str | None = msgspec.field(name="clientState", default=None)
    tls: str | None = msgspec.field(name="latestSupportedTlsVersion", default=None)
    resource_data: bool | None = msgspec.field(name="includeResourceData", default=None)
    odata_type: str | None = msgspec.field(name="@odata.type", default=None)

    def __post_init__(self) -> None:
        if len(self.client_state or "") > _LONGEST_CLIENT_STATE:
            raise ValueError(f"clientState has at most {_LONGEST_CLIENT_STATE} characters")
        if self.resource_data:
            raise ValueError("users and groups do not support includeResourceData")


class Renewal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a PATCH."""

    expires: datetime | None = msgspec.field(name="expirationDateTime", default=None)
    notification_url: str | None = msgspec.field(name="notificationUrl", default=None)
    lifecycle_url: str | None = msgspec.field(name="lifecycleNotificationUrl", default=None)
    odata_type: str | None = msgspec.field(name="@odata.type", default=None)


def invalid(message: str) -> GraphError:
    return GraphError(400, "InvalidRequest", message)


def read_body(raw: bytes, of: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(raw, type=of)
    except msgspec.DecodeError as error:
        raise invalid(f"The subscription is not valid: {error}.") from None


def read_resource(state: TenantState, text: str) -> tuple[Resource, str]:
    """The list and, for a single object, its id."""
    first, _, key = text.strip("/").partition("/")
    resource = next((each for each in TYPES if each.value == first.lower()), None)
    if resource is None or "/" in key:
        raise invalid(f"Resource '{text}' is not supported for change notifications.")
    if not key:
        return resource, ""
    tenant = state.tenant
    exists = (
        state.exists(tenant.user_number(key))
        if resource is Resource.USERS
        else membership.group_exists(state, tenant.group_number(key))
    )
    if not exists:
        raise GraphError(404, "ResourceNotFound", f"Resource '{key}' does not exist.")
    return resource, key.lower()


def read_change_types(text: str) -> frozenset[str]:
    kinds = frozenset(part.strip().lower() for part in text.split(","))
    if not kinds or not kinds <= _CHANGE_TYPES:
        raise invalid(f"changeType '{text}' is not supported for this resource: use 'updated,deleted'.")
    return kinds


def read_url(name: str, text: str, *, plain: bool) -> str:
    """An https address; ``plain`` lets http through to this machine."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        raise invalid(f"{name} is not a valid address.") from None
    if host and (parts.scheme == "https" or (plain and parts.scheme == "http" and is_loopback(host))):
        return text
    raise invalid(f"{name} must be an https address.")


def expiry(expires: datetime, now: float) -> float:
    """The second the subscription ends, within what Graph allows."""
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    at = expires.timestamp()
    if at <= now:
        raise invalid("Subscription expiration must be in the future.")
    if at > now + LONGEST_MINUTES * 60:
        raise invalid(f"Subscription expiration can only be {LONGEST_MINUTES} minutes in the future.")
    return at


def check_quotas(state: TenantState, *, here: int, every: int) -> None:
    """``here`` and ``every`` count the subscriptions of the tenant and of all tenants."""
    tenant = state.tenant
    if here < PER_APP_AND_TENANT and every < PER_APP:
        return
    limit = PER_APP_AND_TENANT if here >= PER_APP_AND_TENANT else PER_APP
    reason = f"App '{tenant.client_id}' has reached its limit of '{limit}' subscriptions on tenant '{tenant.id}'."
    raise GraphError(403, "ExtensionError", f"Operation: Create; Exception: [Status Code: Forbidden; Reason: {reason}]")
