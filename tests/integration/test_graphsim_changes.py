"""Delta, subscriptions and scenarios of a running simulator, with a real endpoint that is notified."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from graphsim import user_mutations
from graphsim.changes import Resource
from graphsim.notifier import Notifier
from graphsim.playing import read
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig, start
from graphsim.subscribed import Subscription
from graphsim.tls import ensure_certificates
from pipeline.cli.commands.graphsim import app as command
from pipeline.errors import UserError

NOW = datetime(2026, 9, 1, tzinfo=UTC)
CONFIG = SimulatorConfig(seed="tests", tenants=3, users=60, now=NOW, plain_notifications=True, notification_scale=0.001)
WAIT = 20.0

Body = dict[str, Any]


class Hook:
    """An endpoint: ``shake`` answers handshakes, ``statuses`` are given to notifications in turn, then 202."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.shake: Callable[[str], tuple[int, str, str]] = lambda token: (200, "text/plain", token)
        self.statuses: list[int] = []
        self.posts: Queue[list[Body]] = Queue()
        self.handshakes = 0
        self.hurry = threading.Event()
        """Answers wait for it."""
        self.hurry.set()

    def next(self) -> list[Body]:
        return self.posts.get(timeout=WAIT)

    def collect(self, count: int) -> list[Body]:
        found: list[Body] = []
        while len(found) < count:
            found += self.next()
        return found

    def quiet(self) -> bool:
        try:
            self.posts.get_nowait()
        except Empty:
            return True
        return False


@contextmanager
def hook(tls: Path | None = None) -> Iterator[Hook]:
    """A server on this machine; with ``tls`` over HTTPS, with the certificates of that folder."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.hurry.wait(WAIT)
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            if token:
                made.handshakes += 1
                self.reply(*made.shake(token[0]))
                return
            status = made.statuses.pop(0) if made.statuses else 202
            self.reply(status, "text/plain", "")
            if status == 202:
                made.posts.put(json.loads(raw)["value"])

        def reply(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # whoever asked may have given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        files = ensure_certificates(tls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made = Hook(f"{'https' if tls else 'http'}://localhost:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.hurry.set()
        server.shutdown()
        thread.join()
        server.server_close()


class App:
    """An application signed in to one tenant of a simulator."""

    def __init__(self, running: RunningSimulator, http: httpx.Client, index: int) -> None:
        self.http, self.index = http, index
        credentials = running.credentials(index)
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        token = http.post(f"/{credentials.tenant_id}/oauth2/v2.0/token", data=form).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"

    def do(self, action: str, key: str | int = "", **values: object) -> Body:
        body = {"action": action, "id": key, "set": values}
        answer = self.http.post(f"/_sim/tenants/{self.index}/mutations", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def subscribe(self, url: str, **changes: object) -> httpx.Response:
        body = {
            "changeType": "updated,deleted",
            "notificationUrl": url,
            "resource": "users",
            "expirationDateTime": in_days(10),
            "clientState": "made-up",
        } | changes
        return self.http.post("/v1.0/subscriptions", json={k: v for k, v in body.items() if v is not None})


@contextmanager
def signed_in(running: RunningSimulator, index: int = 0) -> Iterator[App]:
    context = ssl.create_default_context(cafile=running.ca_path)
    with httpx.Client(base_url=running.base_url, verify=context, trust_env=False, timeout=WAIT) as http:
        yield App(running, http, index)


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")


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
        {"expirationDateTime": in_days(-1)},
        {"expirationDateTime": in_days(29.001)},
        {"includeResourceData": True},
        {"nonsense": 1},
    ],
)
def test_what_can_not_be_subscribed_to_is_refused(client: App, endpoint: Hook, changes: Body) -> None:
    refused = client.subscribe(endpoint.address, **changes)

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


def test_delta_is_followed_over_https(running: RunningSimulator, client: App) -> None:
    first = client.http.get("/v1.0/users/delta?$select=id,accountEnabled", headers={"Prefer": "odata.maxpagesize=25"})
    assert first.headers["Preference-Applied"] == "odata.maxpagesize=25"
    found, page = first.json()["value"], first.json()
    while "@odata.nextLink" in page:
        page = client.http.get(page["@odata.nextLink"]).json()
        found += page["value"]
    assert len(found) == 60
    client.do("disable_user", 20)
    client.do("delete_user", 21)

    changed = client.http.get(page["@odata.deltaLink"]).json()["value"]
    client.do("expire_deltas")
    gone = client.http.get(page["@odata.deltaLink"])

    tenant = running.simulator.state(0).tenant
    assert changed == [
        {"accountEnabled": False, "id": tenant.user_id(20)},
        {"id": tenant.user_id(21), "@removed": {"reason": "changed"}},
    ]
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "resyncRequired")
    anew = client.http.get(gone.headers["Location"], headers={"Prefer": "odata.maxpagesize=999"}).json()
    assert len(anew["value"]) == 59
    assert set(anew["value"][0]) == {"id", "accountEnabled"}


def test_a_scenario_is_played_while_the_server_runs(state_dir: Path, endpoint: Hook) -> None:
    text = """
    clock: {speed: 3600}
    steps:
      - {at: 10m, tenant: 0, action: disable_user, id: 5}
      - {at: 25m, tenant: 0, action: restore_user, id: 5}
      - {at: 30m, tenant: 0, action: enable_user, id: 5}
    """
    config = SimulatorConfig(tenants=1, users=20, plain_notifications=True, scenario=read(text))
    with RunningSimulator(config, state_dir) as running, signed_in(running) as made:
        made.subscribe(endpoint.address)
        endpoint.next()
        progress: Body = {}
        deadline = time.monotonic() + WAIT
        while progress.get("done") != 3 and time.monotonic() < deadline:
            progress = made.http.get("/_sim/scenario").json()

    assert (progress["steps"], progress["done"]) == (3, 3)
    assert [sentence.partition(":")[0] for sentence in progress["failed"]] == ["restore_user at 1500 s"]


def test_the_command_line_moves_the_running_simulator(running: RunningSimulator, state_dir: Path) -> None:
    runner = CliRunner()
    there = ["--url", running.base_url, "--state-dir", str(state_dir)]

    done = runner.invoke(
        command, ["mutate", "0", "add_role_member", "Global Reader", "--set", "user=30", *there, "--json"]
    )
    refused = runner.invoke(command, ["mutate", "0", "disable_user", "999", *there])
    unknown = runner.invoke(command, ["mutate", "9", "create_user", *there])

    state = running.simulator.state(0)
    assert (done.exit_code, json.loads(done.stdout)["sequence"]) == (0, 1)
    assert state.log.kept[0].member is not None
    assert state.log.kept[0].member.id == state.tenant.user_id(30)
    assert "no user '999'" in str(refused.exception)
    assert "no tenant 9" in str(unknown.exception)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("steps: [{at: 1s, tenant: 7, action: create_user}]", "names tenant 7"),
        ("steps: [{at: 1s, tenant: nobody, action: create_user}]", "names tenant nobody"),
        ("steps: [{at: 1s, tenant: 0, action: fly}]", "step 1: there is no action 'fly'"),
        ("steps: {", "line 1"),
    ],
)
def test_a_wrong_scenario_is_refused_before_anything_is_served(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)

    refused = CliRunner().invoke(command, ["serve", "--scenario", str(path), "--state-dir", str(tmp_path)])

    assert isinstance(refused.exception, UserError)
    assert reason in str(refused.exception)


def test_the_command_line_lists_what_can_happen(tmp_path: Path) -> None:
    listed = CliRunner().invoke(command, ["mutations", "--json"])
    missing = CliRunner().invoke(command, ["mutate", "0", "create_user", "--state-dir", str(tmp_path)])

    assert "disable_policy" in {each["action"] for each in json.loads(listed.stdout)}
    assert "No simulator runs" in str(missing.exception)
