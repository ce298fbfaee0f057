"""The simulator over real HTTPS, spoken to with msal and httpx."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msal
import pytest

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig

CONFIG = SimulatorConfig(seed="tests", tenants=4, users=120, now=datetime(2026, 9, 1, tzinfo=UTC))
SCOPE = "https://graph.microsoft.com/.default"


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphsim")


@pytest.fixture
def running(state_dir: Path) -> Iterator[RunningSimulator]:
    with RunningSimulator(CONFIG, state_dir) as simulator:
        yield simulator


@pytest.fixture
def http(running: RunningSimulator) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=running.ca_path)
    with httpx.Client(base_url=running.base_url, verify=context, trust_env=False) as client:
        yield client


def token_answer(http: httpx.Client, running: RunningSimulator, index: int, **changes: str) -> httpx.Response:
    credentials = running.credentials(index)
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "scope": SCOPE,
    }
    tenant_id = changes.pop("tenant_id", credentials.tenant_id)
    return http.post(f"/{tenant_id}/oauth2/v2.0/token", data={**form, **changes})


def signed_in(http: httpx.Client, running: RunningSimulator, index: int = 0) -> dict[str, str]:
    answer = token_answer(http, running, index)
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_msal_gets_a_token_that_opens_its_tenant(
    running: RunningSimulator, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # requests prefers these to the ``verify`` it is given
    credentials = running.credentials(2)
    application = msal.ConfidentialClientApplication(
        credentials.client_id,
        client_credential=credentials.client_secret,
        authority=f"https://localhost:{running.port}/{credentials.tenant_id}",
        instance_discovery=False,
        verify=str(running.ca_path),
    )

    with closing(application.http_client):
        token = application.acquire_token_for_client([SCOPE])

    answer = http.get("/v1.0/organization", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert [body["id"] for body in answer.json()["value"]] == [credentials.tenant_id]


def test_following_links_reads_every_user_once(running: RunningSimulator, http: httpx.Client) -> None:
    headers = signed_in(http, running)
    found: list[str] = []
    link = f"{running.base_url}/v1.0/users?$select=id,signInActivity&$top=50"
    while link:
        page = http.get(link, headers=headers).json()
        found += [body["id"] for body in page["value"]]
        link = page.get("@odata.nextLink", "")

    tenant = running.simulator.state(0).tenant
    assert found == [tenant.user_id(number) for number in range(120)]


def test_a_wrong_secret_and_an_unknown_tenant_are_refused(running: RunningSimulator, http: httpx.Client) -> None:
    wrong = token_answer(http, running, 0, client_secret="wrong")
    unknown = token_answer(http, running, 0, tenant_id="00000000-0000-4000-8000-000000000000")

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert "AADSTS7000215" in wrong.json()["error_description"]
    assert (unknown.status_code, unknown.json()["error_codes"]) == (400, [90002])


def test_errors_have_graphs_shape_and_every_answer_a_request_id(running: RunningSimulator, http: httpx.Client) -> None:
    headers = {**signed_in(http, running), "client-request-id": "11111111-1111-4111-8111-111111111111"}

    good, bad = http.get("/v1.0/users", headers=headers), http.get("/v1.0/users?$top=1000", headers=headers)
    nobody = http.get("/v1.0/users")

    error = bad.json()["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert error["innerError"]["request-id"] == bad.headers["request-id"] != good.headers["request-id"]
    assert error["innerError"]["client-request-id"] == headers["client-request-id"]
    assert good.headers["client-request-id"] == headers["client-request-id"]
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")


def test_other_versions_and_paths_are_refused(running: RunningSimulator, http: httpx.Client) -> None:
    headers = signed_in(http, running)

    assert http.get("/v1.0/nonsense", headers=headers).status_code == 400
    assert http.get("/beta/users", headers=headers).status_code == 501
    assert http.get("/v3.0/users", headers=headers).json()["error"]["message"] == "Invalid version: v3.0"


def test_a_fault_carries_its_retry_after_and_passes(running: RunningSimulator, http: httpx.Client) -> None:
    headers = signed_in(http, running)
    fault = {"path_contains": "users", "status": 429, "code": "TooManyRequests", "retry_after": 7, "times": 1}
    assert http.post("/_sim/tenants/0/faults", json=fault).status_code == 200

    first, second = (http.get("/v1.0/users", headers=headers) for _ in range(2))

    assert (first.status_code, first.headers["Retry-After"], first.json()["error"]["code"]) == (
        429,
        "7",
        "TooManyRequests",
    )
    assert second.status_code == 200


def test_consent_can_be_revoked_for_one_tenant_and_given_back(running: RunningSimulator, http: httpx.Client) -> None:
    headers, other = signed_in(http, running, 0), signed_in(http, running, 1)
    tenant_id = running.credentials(0).tenant_id

    http.put(f"/_sim/tenants/{tenant_id}/consent", json={"granted": False})
    denied = http.get("/v1.0/groups", headers=headers)

    assert (denied.status_code, denied.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert http.get("/v1.0/groups", headers=other).status_code == 200
    http.put(f"/_sim/tenants/{tenant_id}/consent", json={"granted": True})
    assert http.get("/v1.0/groups", headers=headers).status_code == 200


def test_expired_tokens_are_refused_and_new_ones_are_good(running: RunningSimulator, http: httpx.Client) -> None:
    old = signed_in(http, running)
    page = http.get("/v1.0/users?$top=5", headers=old).json()

    http.post("/_sim/tenants/0/expire-tokens")
    http.post("/_sim/tenants/0/expire-pages")
    new = signed_in(http, running)

    assert http.get("/v1.0/users", headers=old).status_code == 401
    assert http.get("/v1.0/users", headers=new).status_code == 200
    stale = http.get(page["@odata.nextLink"], headers=new)
    assert (stale.status_code, stale.json()["error"]["code"]) == (400, "Directory_ExpiredPageToken")


def test_a_scenario_is_played_over_the_control_routes(running: RunningSimulator, http: httpx.Client) -> None:
    headers = signed_in(http, running)
    policies = http.get("/v1.0/identity/conditionalAccess/policies", headers=headers).json()["value"]
    sku = http.get("/v1.0/subscribedSkus", headers=headers).json()["value"][0]["skuId"]
    sim = "/_sim/tenants/0"

    answers = [
        http.patch(f"{sim}/policies/{policies[1]['id']}", json={"state": "disabled"}),
        http.put(f"{sim}/skus/{sku}", json={"enabled": 3}),
        http.post(f"{sim}/users"),
    ]
    user = f"{sim}/users/{answers[-1].json()['id']}"
    answers += [http.patch(user, json={"enabled": False, "signed_in": True}), http.delete(user)]

    assert [answer.status_code for answer in answers] == [200] * 5
    changed = http.get(f"/v1.0/identity/conditionalAccess/policies/{policies[1]['id']}", headers=headers)
    assert changed.json()["state"] == "disabled"
    assert http.get("/v1.0/subscribedSkus", headers=headers).json()["value"][0]["prepaidUnits"]["enabled"] == 3
    assert http.get(sim).json()["users"] == 120


def test_control_mistakes_are_named(running: RunningSimulator, http: httpx.Client) -> None:
    unknown_field = http.put("/_sim/tenants/0/consent", json={"granted": True, "more": 1})

    assert (unknown_field.status_code, unknown_field.json()["error"]) == (400, "Object contains unknown field `more`")
    assert http.get("/_sim/tenants/9").status_code == 404
    assert http.patch("/_sim/tenants/0/policies/none", json={"state": "disabled"}).status_code == 400


def test_tenants_are_listed_without_secrets_and_shown_with(running: RunningSimulator, http: httpx.Client) -> None:
    listed = http.get("/_sim/tenants").json()["tenants"]
    shown = http.get(f"/_sim/tenants/{listed[1]['tenant_id']}").json()

    assert [tenant["index"] for tenant in listed] == [0, 1, 2, 3]
    assert not [tenant for tenant in listed if "client_secret" in tenant]
    assert shown["client_secret"] == running.credentials(1).client_secret


def test_two_simulators_run_side_by_side_and_leave_their_ports(state_dir: Path) -> None:
    with RunningSimulator(CONFIG, state_dir) as one, RunningSimulator(CONFIG, state_dir) as two:
        assert one.port != two.port
        port = one.port

    with RunningSimulator(CONFIG, state_dir, port=port) as again:
        assert again.port == port


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_says_where_it_listens_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import sys; from pathlib import Path; from graphsim.serve import serve; "
        "from graphsim.simulator import SimulatorConfig; "
        "serve(SimulatorConfig(users=10), '127.0.0.1', 0, Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            address = (tmp_path / "graphsim.url").read_text().strip()
            context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
            with httpx.Client(verify=context, trust_env=False) as client:
                answer = client.get(f"{address}/_sim/tenants")
            process.send_signal(number)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()

    assert said.startswith(f"graphsim listens on {address} ")
    assert answer.status_code == 200
    assert (process.returncode, errors) == (0, "")
    assert not (tmp_path / "graphsim.url").exists()
