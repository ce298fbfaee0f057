"""``/subscriptions``: https://learn.microsoft.com/graph/api/subscription-post-subscriptions.

What an answer never shows is ``clientState``, except to whoever has just sent it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from graphsim.directory.tenants import Json, timestamp
from graphsim.notifying.subscription_rules import (
    Creation,
    Renewal,
    check_quotas,
    expiry,
    invalid,
    read_body,
    read_change_types,
    read_resource,
    read_url,
)
from graphsim.protocol.errors import GraphError, not_simulated
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.simulator import Simulator
from graphsim.world.state import TenantState
from graphsim.world.subscribed import Subscription

_TLS = "v1_2"


async def collection(simulator: Simulator, state: TenantState, request: GraphRequest) -> Answer:
    """Lists or makes subscriptions."""
    if request.method == "GET":
        listed = [written(state, each) for each in state.subscriptions.live(state.seconds)]
        return _json({"@odata.context": f"{request.service}/$metadata#subscriptions", "value": listed})
    if request.method != "POST":
        raise not_simulated(f"{request.method} on this resource")
    return await _create(simulator, state, request)


async def one(simulator: Simulator, state: TenantState, request: GraphRequest) -> Answer:
    """Reads, renews or deletes a subscription."""
    found = _find(state, request.path.strip("/").split("/")[-1])
    if request.method == "GET":
        return _entity(request, written(state, found))
    if request.method == "DELETE":
        del state.subscriptions.held[found.id]
        return Answer(status=204)
    if request.method != "PATCH":
        raise not_simulated(f"{request.method} on this resource")
    return await _renew(simulator, state, request, found)


async def reauthorize(_simulator: Simulator, state: TenantState, request: GraphRequest) -> Answer:
    """Says yes to a ``reauthorizationRequired``: https://learn.microsoft.com/graph/api/subscription-reauthorize."""
    if request.method != "POST":
        raise not_simulated(f"{request.method} on this resource")
    _find(state, request.path.strip("/").split("/")[-2])
    return Answer(status=204)


async def _create(simulator: Simulator, state: TenantState, request: GraphRequest) -> Answer:
    given = read_body(request.body, Creation)
    resource, object_id = read_resource(state, given.resource)
    plain = simulator.config.plain_notifications
    made = Subscription(
        id=str(uuid4()),
        resource=resource,
        object_id=object_id,
        resource_text=given.resource,
        change_types=read_change_types(given.change_type),
        notification_url=read_url("notificationUrl", given.notification_url, plain=plain),
        lifecycle_url=read_url("lifecycleNotificationUrl", given.lifecycle_url, plain=plain)
        if given.lifecycle_url
        else "",
        client_state=given.client_state or "",
        expires_at=expiry(given.expires, state.seconds),
        since=state.log.last,
    )
    _check_quotas(simulator, state)
    for url in dict.fromkeys((made.notification_url, made.lifecycle_url)):
        if url:
            await _shake_hands(simulator, url)
    _check_quotas(simulator, state)  # others may have come while the endpoint was asked
    made = replace(made, since=state.log.last)
    state.subscriptions.held[made.id] = made
    simulator.notifier.watch(state)
    return _entity(request, written(state, made) | {"clientState": given.client_state}, status=201)


async def _renew(simulator: Simulator, state: TenantState, request: GraphRequest, found: Subscription) -> Answer:
    given = read_body(request.body, Renewal)
    if given.lifecycle_url is not None:
        raise invalid("lifecycleNotificationUrl can't be changed; delete the subscription and create another one.")
    if given.expires is None and given.notification_url is None:
        raise invalid("expirationDateTime is required.")
    renewed = found
    if given.expires is not None:
        renewed = replace(renewed, expires_at=expiry(given.expires, state.seconds))
    if given.notification_url is not None and given.notification_url != found.notification_url:
        url = read_url("notificationUrl", given.notification_url, plain=simulator.config.plain_notifications)
        await _shake_hands(simulator, url)
        renewed = replace(renewed, notification_url=url)
    _find(state, found.id)  # may have been deleted while the endpoint was asked
    state.subscriptions.held[found.id] = renewed
    return _entity(request, written(state, renewed))


def _check_quotas(simulator: Simulator, state: TenantState) -> None:
    every = sum(len(each.subscriptions.live(each.seconds)) for each in simulator.states.values())
    check_quotas(state, here=len(state.subscriptions.live(state.seconds)), every=every)


async def _shake_hands(simulator: Simulator, url: str) -> None:
    token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid4()}"
    wrong = await simulator.notifier.handshake(url, token)
    if wrong:
        raise GraphError(400, "ValidationError", f"Subscription validation request failed. {wrong}")


def _find(state: TenantState, key: str) -> Subscription:
    for subscription in state.subscriptions.live(state.seconds):
        if subscription.id == key.lower():
            return subscription
    raise GraphError(404, "ResourceNotFound", "The object was not found.")


def written(state: TenantState, subscription: Subscription) -> Json:
    """The subscription as everyone may see it."""
    return {
        "id": subscription.id,
        "resource": subscription.resource_text,
        "applicationId": state.tenant.client_id,
        "changeType": ",".join(sorted(subscription.change_types, reverse=True)),
        "clientState": None,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": subscription.lifecycle_url or None,
        "expirationDateTime": timestamp(datetime.fromtimestamp(subscription.expires_at, UTC)),
        "creatorId": state.tenant.object_id("creator"),
        "includeResourceData": None,
        "latestSupportedTlsVersion": _TLS,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationUrlAppId": None,
    }


def _entity(request: GraphRequest, body: Json, status: int = 200) -> Answer:
    return _json({"@odata.context": f"{request.service}/$metadata#subscriptions/$entity", **body}, status)


def _json(body: Json, status: int = 200) -> Answer:
    return Answer(status=status, body=msgspec.json.encode(body))
