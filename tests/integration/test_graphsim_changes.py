"""Subscriptions to a running simulator's changes, with a real endpoint that is notified."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graphsim.notifying.notifier import Notifier
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig, start
from graphsim.tls import ensure_certificates
from graphsim.world import user_mutations
from graphsim.world.changes import Resource
from graphsim.world.subscribed import Subscription
from tests.graphsim_clients import WAIT, App, Body, Hook, hook, in_days, signed_in

NOW = datetime(2026, 9, 1, tzinfo=UTC)
CONFIG = SimulatorConfig(seed="tests", tenants=3, users=60, now=NOW, plain_notifications=True, notification_scale=0.001)


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphsim")


@pytest.fixture
def running(state_dir: Path) -> Iterator[RunningSimulator]:
    with RunningSimulator(CONFIG, state_dir) as simulator:
        yield simulator


@pytest.fixture
def client(running: RunningSimulator) -> Iterator[App]:
    with signed_in(running) as made:
        yield made


@pytest.fixture
def endpoint() -> Iterator[Hook]:
    with hook() as made:
        yield made


def test_a_subscription_is_made_read_renewed_and_deleted(client: App, endpoint: Hook) -> None:
    made = client.subscribe(endpoint.address, lifecycleNotificationUrl=f"{endpoint.address}?life=1")
    assert (made.status_code, endpoint.handshakes) == (201, 2)
    body = made.json()
    assert body["clientState"] == "made-up"
    assert body["changeType"] == "updated,deleted"
    assert body["@odata.context"].endswith("/$metadata#subscriptions/$entity")
    path = f"/v1.0/subscriptions/{body['id']}"

    listed = client.http.get("/v1.0/subscriptions").json()["value"]
    assert [(each["id"], each["clientState"]) for each in listed] == [(body["id"], None)]
    later = in_days(20)
    assert client.http.patch(path, json={"expirationDateTime": later}).json()["expirationDateTime"] == later
    assert client.http.get(path).json()["expirationDateTime"] == later
    assert client.http.post(f"{path}/reauthorize").status_code == 204
    moved = client.http.patch(path, json={"lifecycleNotificationUrl": endpoint.address})
    assert (moved.status_code, moved.json()["error"]["code"]) == (400, "InvalidRequest")
    assert client.http.delete(path).status_code == 204
    assert client.http.get(path).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"notificationUrl": "http://hook.example/n"},
        {"notificationUrl": "nonsense"},
        {"lifecycleNotificationUrl": "http://hook.example/n"},
        {"clientState": "x" * 129},
        {"changeType": "created,updated"},
        {"changeType": None},
        {"resource": "identity/conditionalAccess/policies"},
        {"resource": "roleManagement/directory/roleAssignments"},
        {"expirationDateTime": None},
        {"expirationDateTime": "soon"},
        {"includeResourceData": True},
        {"nonsense": 1},
    ],
)
def test_what_can_not_be_subscribed_to_is_refused(client: App, endpoint: Hook, changes: Body) -> None:
    refused = client.subscribe(endpoint.address, **changes)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidRequest")
    assert endpoint.handshakes == 0


@pytest.mark.parametrize("days", [-1, 29.001])
def test_a_subscription_may_last_29_days_from_now_and_no_longer(client: App, endpoint: Hook, days: float) -> None:
    """86 seconds too long: reckoned here and not when tests are collected, which may be minutes before."""
    refused = client.subscribe(endpoint.address, expirationDateTime=in_days(days))

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidRequest")
    assert endpoint.handshakes == 0


@pytest.mark.parametrize(
    ("shake", "words"),
    [
        (lambda token: (500, "text/plain", token), "200 OK"),
        (lambda token: (202, "text/plain", token), "200 OK"),
        (lambda token: (200, "application/json", token), "text/plain"),
        (lambda token: (200, "text/plain", token.replace(" ", "%20")), "exactly match"),
        (None, "could not be reached"),
    ],
)
def test_an_endpoint_that_fails_the_handshake_gets_no_subscription(
    client: App, endpoint: Hook, shake: Callable[[str], tuple[int, str, str]] | None, words: str
) -> None:
    if shake:
        endpoint.shake = shake
    refused = client.subscribe(endpoint.address if shake else "https://localhost:9/hook")

    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "ValidationError")
    assert error["message"].startswith("Subscription validation request failed.")
    assert words in error["message"]
    assert client.http.get("/v1.0/subscriptions").json()["value"] == []


def test_the_hundred_and_first_subscription_of_a_tenant_is_refused(client: App, endpoint: Hook) -> None:
    answers = [client.subscribe(endpoint.address) for _ in range(101)]

    assert [answer.status_code for answer in answers] == [201] * 100 + [403]
    assert "has reached its limit of '100'" in answers[-1].json()["error"]["message"]


def test_changes_are_told_in_small_batches_with_the_secret(
    running: RunningSimulator, client: App, endpoint: Hook
) -> None:
    made = client.subscribe(endpoint.address).json()
    for number in range(10, 40):
        client.do("disable_user", number)
    client.do("sign_in", 40)
    client.do("purge_user", 41)

    told = endpoint.collect(32)

    tenant = running.simulator.state(0).tenant
    assert {each["subscriptionId"] for each in told} == {made["id"]}
    assert {each["clientState"] for each in told} == {"made-up"}
    assert {each["tenantId"] for each in told} == {tenant.id}
    assert {each["resourceData"]["id"] for each in told} == {tenant.user_id(n) for n in (*range(10, 40), 41)}
    assert [each["resource"] for each in told if each["changeType"] == "deleted"] == [f"Users/{tenant.user_id(41)}"]


def test_one_post_can_hold_the_news_of_two_tenants(running: RunningSimulator, client: App, endpoint: Hook) -> None:
    with signed_in(running, 1) as other:
        other.subscribe(endpoint.address)
        client.subscribe(endpoint.address)
        client.do("disable_user", 10)
        other.do("disable_user", 10)
        told = endpoint.collect(2)

    assert {each["tenantId"] for each in told} == {running.credentials(index).tenant_id for index in (0, 1)}


def test_what_is_not_taken_is_told_again(client: App, endpoint: Hook) -> None:
    client.subscribe(endpoint.address)
    endpoint.statuses = [503, 429, 302]
    client.do("disable_user", 10)

    assert len(endpoint.next()) == 1
    deadline = time.monotonic() + WAIT
    tally = client.http.get("/_sim/notifications").json()
    while not tally["delivered"] and time.monotonic() < deadline:  # counted once its answer has arrived
        tally = client.http.get("/_sim/notifications").json()
    assert tally == {"delivered": 1, "retried": 3, "dropped": 0}


def test_an_endpoint_that_takes_too_long_is_given_up_and_told_again(endpoint: Hook) -> None:
    async def play() -> tuple[str, Notifier]:
        notifier = Notifier(clock=time.time, scale=0.001, handshake_seconds=0.2, answer_seconds=0.2)
        simulator = start(CONFIG)
        state = simulator.state(0)
        state.subscriptions.held["one"] = Subscription(
            id="one",
            resource=Resource.USERS,
            object_id="",
            resource_text="users",
            change_types=frozenset({"updated"}),
            notification_url=endpoint.address,
            lifecycle_url="",
            client_state="",
            expires_at=time.time() + WAIT,
            since=0,
        )
        endpoint.hurry.clear()
        async with notifier.running():
            words = await notifier.handshake(endpoint.address, "token")
            notifier.watch(state)
            user_mutations.enable(state, 10, enabled=False)
            deadline = time.monotonic() + WAIT
            while not notifier.tally.delivered and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
                if notifier.tally.retried:
                    endpoint.hurry.set()
        return words, notifier

    words, notifier = asyncio.run(play())

    assert words == "The request timed out after 0.2 seconds."
    assert notifier.tally.retried >= 1
    assert notifier.tally.delivered == 1
    assert endpoint.next()


def test_lifecycle_events_are_told_and_a_removed_subscription_is_silent(client: App, endpoint: Hook) -> None:
    made = client.subscribe(endpoint.address, lifecycleNotificationUrl=endpoint.address).json()
    for event in ("reauthorizationRequired", "missed", "subscriptionRemoved"):
        client.do("send_lifecycle", made["id"], event=event)
        assert [each["lifecycleEvent"] for each in endpoint.next()] == [event]

    client.do("disable_user", 10)

    assert client.http.get("/v1.0/subscriptions").json()["value"] == []
    assert endpoint.quiet()


def test_an_endpoint_over_https_is_verified_by_the_ca_that_was_given(tmp_path: Path, state_dir: Path) -> None:
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    ensure_certificates(foreign)
    with hook(own) as endpoint:
        answers = []
        for ca in (str(own / "ca.pem"), str(foreign / "ca.pem"), ""):
            config = SimulatorConfig(seed="tests", tenants=1, users=20, notification_ca=ca)
            with RunningSimulator(config, state_dir) as running, signed_in(running) as made:
                answers.append(made.subscribe(endpoint.address).status_code)

    assert answers == [201, 400, 201]


def test_plain_http_needs_the_switch(state_dir: Path, endpoint: Hook) -> None:
    with RunningSimulator(SimulatorConfig(tenants=1, users=20), state_dir) as running, signed_in(running) as made:
        assert made.subscribe(endpoint.address).status_code == 400


def test_delivery_ends_with_the_server_though_an_endpoint_is_gone(state_dir: Path) -> None:
    before = threading.active_count()
    with hook() as endpoint:
        config = SimulatorConfig(tenants=1, users=20, plain_notifications=True)
        with RunningSimulator(config, state_dir) as running:
            with signed_in(running) as made:
                made.subscribe(endpoint.address)
                endpoint.statuses = [503]
                made.do("disable_user", 5)
                deadline = time.monotonic() + WAIT
                while not running.simulator.notifier.tally.retried and time.monotonic() < deadline:
                    made.http.get("/_sim/notifications")
            begun = time.monotonic()
        took = time.monotonic() - begun

    assert running.simulator.notifier.tally.retried == 1
    assert took < 5
    assert threading.active_count() == before
